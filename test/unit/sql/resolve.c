/* test/unit/sql/resolve.c - every rule by which a name means something */
#include "sql/resolve.h"
#include "base/fault.h"
#include "relations.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BUDGET = 64 * 1024 * 1024 };

static void make_relations(struct relations *r) {
    relations_init(r, "sales");
    relations_add(r, "sales", "default", "users", GRANT_ALLOW,
                  STR("user_id bigint; name string; city string; level bigint; -phone string; "
                      "profile struct<age:bigint,income:double> !income"));
    relations_add(r, "sales", "default", "orders", GRANT_ALLOW,
                  STR("order_id bigint; user_id bigint; amount double; price decimal(10,2); "
                      "tags array<string>; props map<string,bigint>; "
                      "ext struct<ip:string,device:struct<os:string>>; "
                      "items array<struct<sku:string,n:bigint>>; at datetime; ds string"));
    relations_add(r, "sales", "default", "contacts", GRANT_ALLOW,
                  STR("user_id bigint; phone string; channel string"));
    relations_add(r, "sales", "default", "regions", GRANT_ALLOW,
                  STR("region string; region_name string; manager string"));
    relations_add(r, "sales", "mart", "users", GRANT_ALLOW, STR("user_id bigint; rank bigint"));
    relations_add(r, "mart", "default", "facts", GRANT_ALLOW, STR("a bigint; b string"));
    relations_add(r, "hr", "default", "salaries", GRANT_DENY,
                  STR("-user_id bigint; -salary double"));
}

/* -- telling what was resolved ---------------------------------------------------------------- */

static const char *const clause_names[] = {
    [SQL_IN_SELECT] = "select",      [SQL_IN_FROM] = "from",
    [SQL_IN_LATERAL] = "lateral",    [SQL_IN_ON] = "on",
    [SQL_IN_WHERE] = "where",        [SQL_IN_GROUP_BY] = "group",
    [SQL_IN_HAVING] = "having",      [SQL_IN_WINDOW] = "window",
    [SQL_IN_QUALIFY] = "qualify",    [SQL_IN_ORDER_BY] = "order",
    [SQL_IN_CLUSTER_BY] = "cluster", [SQL_IN_DISTRIBUTE_BY] = "distribute",
    [SQL_IN_SORT_BY] = "sort",
};
static const char *const how_names[] = {
    [USE_NAMED] = "",    [USE_STAR] = "*",     [USE_JOINED] = "+",
    [USE_GROUPED] = "#", [USE_REVEALED] = "!",
};

static void tell_outputs(const struct resolved_query *query, struct buf *out) {
    for (size_t i = 0; i < query->n_outputs; i++) {
        const struct resolved_output *output = &query->outputs[i];
        if (i > 0) buf_add_byte(out, ' ');
        if (output->hidden) buf_add_byte(out, '-');
        buf_addf(out, STR_FMT ":", STR_ARG(output->name));
        sql_type_print(&output->type, out);
    }
}

static void tell_uses(const struct resolved *resolved, struct buf *out) {
    for (size_t i = 0; i < resolved->n_uses; i++) {
        const struct resolved_use *use = &resolved->uses[i];
        const struct schema_relation *schema = use->source->relation->schema;
        buf_addf(out, " %s%s:" STR_FMT "." STR_FMT, use->hidden ? "-" : "",
                 clause_names[use->clause], STR_ARG(use->source->alias),
                 STR_ARG(schema->columns[use->column].name));
        for (size_t j = 0; j < use->n_path; j++) buf_addf(out, "." STR_FMT, STR_ARG(use->path[j]));
        buf_add(out, str_of(how_names[use->how]));
    }
}

static struct str tell(const struct resolved *resolved, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, 10 * 1024 * 1024);
    tell_outputs(resolved->root, &buf);
    buf_add(&buf, STR(" |"));
    tell_uses(resolved, &buf);
    struct str text = str_dup(arena, buf_flat(&buf, arena));
    buf_deinit(&buf);
    return text;
}

static result run(const struct relations *relations, struct str sql, struct arena *arena,
                  struct resolved **out, struct report *report) {
    struct sql_query *query = NULL;
    *out = NULL;
    TRY(sql_parse(sql, NULL, arena, &query, report));
    return sql_resolve(query, &relations->grant, arena, out, report);
}

/* -- what resolves ---------------------------------------------------------------------------- */

static const struct {
    const char *sql, *told;
} resolving[] = {
    /* plain names, aliases, qualified names */
    {"SELECT name FROM users", "name:string | select:users.name"},
    {"SELECT NAME, `Name` FROM users u", "NAME:string Name:string | select:u.name select:u.name"},
    {"SELECT u.name FROM users AS u", "name:string | select:u.name"},
    {"SELECT users.name, sales.users.city, sales.default.users.level FROM sales.users",
     "name:string city:string level:bigint | select:users.name select:users.city "
     "select:users.level"},
    {"SELECT rank FROM mart.users", "rank:bigint | select:users.rank"},
    {"SELECT mart.users.rank FROM sales.mart.users", "rank:bigint | select:users.rank"},
    {"SELECT a FROM mart.facts", "a:bigint | select:facts.a"},
    {"SELECT 1 AS one, getdate(), 'a' 'b'", "one:bigint _c1:datetime _c2:string |"},
    {"SELECT current_date", "_c0:date |"},
    /* types */
    {"SELECT order_id / 2, order_id + 1, price * 2, amount + price, order_id DIV 2, price / 2, ds "
     "+ 1 "
     "FROM orders",
     "_c0:double _c1:bigint _c2:decimal _c3:double _c4:bigint _c5:decimal _c6:double | "
     "select:orders.order_id select:orders.order_id select:orders.price select:orders.amount "
     "select:orders.price select:orders.order_id select:orders.price select:orders.ds"},
    {"SELECT CAST(ds AS decimal(18,2)) a, CASE WHEN ds = 'x' THEN 1 ELSE 1.5 END b, ds || 'x' c, "
     "ds IS NULL d, props['a'] e, tags[0] f, at g, -ds h, NOT true i, 1 IN (1, 2) j FROM orders",
     "a:decimal(18,2) b:double c:string d:boolean e:bigint f:string g:datetime h:double i:boolean "
     "j:boolean | select:orders.ds select:orders.ds select:orders.ds select:orders.ds "
     "select:orders.props select:orders.tags select:orders.at select:orders.ds"},
    /* structs: alias first, then struct column */
    {"SELECT ext.device.os FROM orders", "os:string | select:orders.ext.device.os"},
    {"SELECT o.ext.ip, ext FROM orders o",
     "ip:string ext:struct<ip:string,device:struct<os:string>> | select:o.ext.ip select:o.ext"},
    {"SELECT (ext).ip FROM orders", "ip:string | select:orders.ext.ip"},
    {"SELECT ext.order_id FROM orders ext", "order_id:bigint | select:ext.order_id"},
    {"SELECT items[0].sku FROM orders", "sku:string | select:orders.items"},
    {"SELECT ext.ip FROM (SELECT ext FROM orders) t", "ip:string | select:orders.ext"},
    /* stars: hidden columns stay out, EXCEPT, REPLACE, patterns */
    {"SELECT * FROM users",
     "user_id:bigint name:string city:string level:bigint -phone:string "
     "-profile:struct<age:bigint,income:double> | select:users.user_id* select:users.name* "
     "select:users.city* select:users.level* -select:users.phone* -select:users.profile*"},
    {"SELECT c.* FROM users u, contacts c",
     "user_id:bigint phone:string channel:string | select:c.user_id* select:c.phone* "
     "select:c.channel*"},
    {"SELECT * EXCEPT (phone, CHANNEL) FROM contacts", "user_id:bigint | select:contacts.user_id*"},
    {"SELECT * REPLACE (upper(channel) AS phone) FROM contacts",
     "user_id:bigint phone:string channel:string | select:contacts.channel "
     "select:contacts.user_id* select:contacts.channel*"},
    {"SELECT `(phone|user_id)?+.+` FROM contacts", "channel:string | select:contacts.channel*"},
    {"SELECT c.`.*e.*` FROM contacts c",
     "user_id:bigint phone:string channel:string | select:c.user_id* select:c.phone* "
     "select:c.channel*"},
    {"SELECT `a b` FROM (SELECT a AS `a b` FROM mart.facts) t", "a b:bigint | select:facts.a"},
    {"SELECT count(*), count(c.*), count(DISTINCT *) FROM mart.facts c",
     "_c0:bigint _c1:bigint _c2:bigint | select:c.a* select:c.b* select:c.a* select:c.b*"},
    /* who names what a star left out is told of */
    {"SELECT phone FROM (SELECT * FROM users) t",
     "phone:string | select:users.user_id* select:users.name* select:users.city* "
     "select:users.level* -select:users.phone* -select:users.profile* select:users.phone!"},
    {"SELECT 1 FROM (SELECT `(na|ph).*` FROM users) a NATURAL JOIN contacts c",
     "_c0:bigint | select:users.name* -select:users.phone* on:users.phone! on:c.phone+"},
    {"SELECT name FROM (SELECT phone AS name FROM users) t", "name:string | select:users.phone"},
    {"SELECT * FROM (SELECT `(user_id|level)` FROM users UNION ALL SELECT `(user_id|level)` FROM "
     "users) t "
     "WHERE level > 1",
     "user_id:bigint level:bigint | select:users.user_id* select:users.level* "
     "select:users.user_id* select:users.level*"},
    /* CTEs shadow tables, see earlier ones, are resolved once */
    {"WITH users AS (SELECT 1 AS user_id, 'x' AS phone) SELECT phone FROM users", "phone:string |"},
    {"WITH users AS (SELECT name FROM users) SELECT * FROM users",
     "name:string | select:users.name"},
    {"WITH a AS (SELECT a FROM mart.facts), b AS (SELECT a.a x, c.a y FROM a, a c) "
     "SELECT b.x + d.y AS z FROM b JOIN b d ON b.x = d.x",
     "z:bigint | select:facts.a"},
    {"WITH t(x) AS (SELECT a FROM mart.facts) SELECT X FROM t", "X:bigint | select:facts.a"},
    {"SELECT n FROM (SELECT a, b FROM mart.facts) t(m, n)",
     "n:string | select:facts.a select:facts.b"},
    {"WITH a AS (SELECT 1 x) SELECT * FROM (WITH a AS (SELECT 'b' y) SELECT * FROM a) t",
     "y:string |"},
    {"WITH facts AS (SELECT 1 x) SELECT a FROM mart.facts", "a:bigint | select:facts.a"},
    /* joins */
    {"SELECT user_id, name, amount FROM users JOIN orders USING (user_id)",
     "user_id:bigint name:string amount:double | on:users.user_id+ on:orders.user_id+ "
     "select:users.user_id select:orders.user_id select:users.name select:orders.amount"},
    {"SELECT u.user_id FROM users u JOIN orders o USING (user_id)",
     "user_id:bigint | on:u.user_id+ on:o.user_id+ select:u.user_id"},
    {"SELECT * FROM mart.users a JOIN contacts b USING (user_id)",
     "user_id:bigint rank:bigint phone:string channel:string | on:a.user_id+ on:b.user_id+ "
     "select:a.user_id* select:b.user_id* select:a.rank* select:b.phone* select:b.channel*"},
    {"SELECT channel FROM mart.users a NATURAL JOIN contacts b",
     "channel:string | on:a.user_id+ on:b.user_id+ select:b.channel"},
    {"SELECT * FROM mart.users a LEFT SEMI JOIN contacts b ON a.user_id = b.user_id",
     "user_id:bigint rank:bigint | on:a.user_id on:b.user_id select:a.user_id* select:a.rank*"},
    {"SELECT user_id FROM mart.users a LEFT ANTI JOIN contacts b ON a.user_id = b.user_id",
     "user_id:bigint | on:a.user_id on:b.user_id select:a.user_id"},
    {"SELECT user_id FROM mart.users a JOIN contacts b USING (user_id) JOIN orders o USING "
     "(user_id)",
     "user_id:bigint | on:a.user_id+ on:b.user_id+ on:a.user_id+ on:b.user_id+ on:o.user_id+ "
     "select:a.user_id select:b.user_id select:o.user_id"},
    {"SELECT semi.name FROM users SEMI JOIN contacts c ON semi.user_id = c.user_id",
     "name:string | on:SEMI.user_id on:c.user_id select:SEMI.name"},
    /* correlation */
    {"SELECT name FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.user_id)",
     "name:string | where:o.user_id where:u.user_id select:u.name"},
    {"SELECT name FROM users WHERE level = (SELECT max(order_id) FROM orders WHERE ds = city)",
     "name:string | where:users.level where:orders.ds where:users.city select:orders.order_id "
     "select:users.name"},
    {"SELECT (SELECT max(x) FROM (SELECT u.level AS x) t) AS m FROM users u",
     "m:bigint | select:u.level"},
    /* GROUP BY input first, then alias; HAVING, QUALIFY tolerate aliases */
    {"SELECT upper(city) AS name, count(1) FROM users GROUP BY name",
     "name:string _c1:bigint | select:users.city group:users.name"},
    {"SELECT upper(city) AS c FROM users GROUP BY c", "c:string | select:users.city"},
    {"SELECT city, count(1) n FROM users GROUP BY city HAVING n > 1",
     "city:string n:bigint | select:users.city group:users.city"},
    {"SELECT city FROM users GROUP BY city WITH ROLLUP", "city:string | select:users.city "
                                                         "group:users.city"},
    {"SELECT city, grouping_id(city, name) FROM users GROUP BY city, name GROUPING SETS ((city), "
     "(name))",
     "city:string _c1:bigint | select:users.city select:users.city select:users.name "
     "group:users.city group:users.name group:users.city group:users.name"},
    {"SELECT max(level) m FROM users HAVING sum(user_id) > 3",
     "m:bigint | select:users.level having:users.user_id"},
    {"SELECT name, row_number() OVER (PARTITION BY city ORDER BY level) rn FROM users QUALIFY rn = "
     "1",
     "name:string rn:bigint | select:users.name window:users.city window:users.level"},
    {"SELECT name FROM users QUALIFY rank() OVER (ORDER BY level) = 1 AND city = 'x'",
     "name:string | select:users.name window:users.level qualify:users.city"},
    /* windows */
    {"SELECT sum(level) OVER w, avg(level) OVER (w ROWS 1 PRECEDING) FROM users "
     "WINDOW w AS (PARTITION BY city ORDER BY name)",
     "_c0:bigint _c1:double | select:users.level select:users.level window:users.city "
     "window:users.name"},
    {"SELECT rank() OVER (ORDER BY sum(level)) r FROM users GROUP BY city",
     "r:bigint | window:users.level group:users.city"},
    {"SELECT count(1) FILTER (WHERE city = 'x') FROM users", "_c0:bigint | select:users.city"},
    {"SELECT wm_concat(',', name) WITHIN GROUP (ORDER BY level) FROM users",
     "_c0:string | select:users.name select:users.level"},
    /* ORDER BY and its kin: outputs first */
    {"SELECT level AS name FROM users ORDER BY name", "name:bigint | select:users.level"},
    {"SELECT name n FROM users ORDER BY n, level, users.name",
     "n:string | select:users.name order:users.level order:users.name"},
    {"SELECT *, user_id FROM mart.users ORDER BY rank",
     "user_id:bigint rank:bigint user_id:bigint | select:users.user_id* select:users.rank* "
     "select:users.user_id"},
    {"SELECT city, sum(level) AS level FROM users GROUP BY city ORDER BY sum(level)",
     "city:string level:bigint | select:users.city select:users.level group:users.city "
     "order:users.level"},
    {"SELECT name FROM users DISTRIBUTE BY city SORT BY level, name",
     "name:string | select:users.name distribute:users.city sort:users.level"},
    {"SELECT name FROM users CLUSTER BY level", "name:string | select:users.name "
                                                "cluster:users.level"},
    {"SELECT a FROM mart.facts UNION ALL SELECT order_id FROM orders ORDER BY a LIMIT 3",
     "a:bigint | select:facts.a select:orders.order_id"},
    {"SELECT *, user_id FROM mart.users ORDER BY user_id",
     "user_id:bigint rank:bigint user_id:bigint | select:users.user_id* select:users.rank* "
     "select:users.user_id"},
    {"SELECT city, max(level) AS city FROM users GROUP BY city",
     "city:string city:bigint | select:users.city select:users.level group:users.city"},
    {"SELECT city AS level FROM users ORDER BY rank() OVER (ORDER BY level)",
     "level:string | select:users.city window:users.level"},
    /* set operations */
    {"SELECT a AS x FROM mart.facts UNION SELECT 1.5", "x:double | select:facts.a"},
    {"SELECT a FROM mart.facts MINUS SELECT 1 INTERSECT SELECT 2", "a:bigint | select:facts.a"},
    /* VALUES, table functions */
    {"SELECT concat(a, b) k FROM VALUES ('d', 4), ('e', 5.5) t(a, b)", "k:string |"},
    {"SELECT b FROM VALUES ('d', 4), ('e', 5.5) t(a, b)", "b:double |"},
    {"SELECT order_id, tag FROM orders LATERAL VIEW explode(tags) t AS tag",
     "order_id:bigint tag:string | lateral:orders.tags select:orders.order_id"},
    {"SELECT t.k, v FROM orders LATERAL VIEW OUTER explode(props) t AS k, v",
     "k:string v:bigint | lateral:orders.props"},
    {"SELECT x, y FROM orders LATERAL VIEW posexplode(tags) t AS p, x "
     "LATERAL VIEW explode(split(x, ',')) u AS y WHERE p > 0",
     "x:string y:string | lateral:orders.tags"},
    {"SELECT a, b FROM orders LATERAL VIEW json_tuple(ds, 'a', 'b') j AS a, b",
     "a:string b:string | lateral:orders.ds"},
    {"SELECT sku, n FROM orders LATERAL VIEW inline(items) t AS sku, n",
     "sku:string n:bigint | lateral:orders.items"},
    {"SELECT explode(props) AS (k, v) FROM orders", "k:string v:bigint | select:orders.props"},
    {"SELECT * FROM mart.facts LATERAL VIEW stack(2, a, 'x', 1.5, 'y') s AS n, t",
     "a:bigint b:string n:double t:string | lateral:facts.a select:facts.a* select:facts.b*"},
    /* lambdas */
    {"SELECT transform(tags, x -> concat(x, ds)) AS t FROM orders",
     "t:array<string> | select:orders.tags select:orders.ds"},
    {"SELECT filter(items, i -> i.n > 1 AND i.sku = ds) FROM orders",
     "_c0:array<struct<sku:string,n:bigint>> | select:orders.items select:orders.ds"},
    {"SELECT array_reduce(tags, 0, (s, x) -> s + length(x), s -> s) FROM orders",
     "_c0:unknown | select:orders.tags"},
    /* PIVOT groups by what nobody names */
    {"SELECT * FROM (SELECT user_id, channel, phone FROM contacts) PIVOT (count(phone) FOR channel "
     "IN ('a' AS x, 'b')) p",
     "user_id:bigint x:bigint b:bigint | select:contacts.user_id select:contacts.channel "
     "select:contacts.phone"},
    {"SELECT x_n FROM contacts PIVOT (count(phone) AS n FOR channel IN ('a' AS x))",
     "x_n:bigint | select:contacts.phone group:contacts.channel group:contacts.user_id#"},
    {"SELECT user_id, k, v FROM contacts UNPIVOT (v FOR k IN (phone, channel)) u",
     "user_id:bigint k:string v:string | select:contacts.phone select:contacts.channel "
     "select:contacts.user_id"},
    /* FROM first */
    {"FROM users SELECT name WHERE level > 1", "name:string | where:users.level select:users.name"},
    {"SELECT name FROM users TABLESAMPLE (BUCKET 1 OUT OF 2 ON level) u",
     "name:string | from:u.level select:u.name"},
};

static void resolves(void **state) {
    (void)state;
    struct relations relations;
    size_t n_wrong = 0;
    make_relations(&relations);
    for (size_t i = 0; i < COUNT(resolving); i++) {
        struct arena arena;
        struct resolved *resolved;
        struct report report = {0};
        arena_init(&arena, BUDGET);
        result r = run(&relations, str_of(resolving[i].sql), &arena, &resolved, &report);
        if (r.why != FAIL_NONE) {
            print_error("%s\n%s %s\n", resolving[i].sql, report.code, report.sentence);
            n_wrong++;
            arena_deinit(&arena);
            continue;
        }
        struct str told = tell(resolved, &arena);
        if (!str_eq(told, str_of(resolving[i].told))) {
            print_error("%s\n is %.*s\nnot %s\n", resolving[i].sql, STR_ARG(told),
                        resolving[i].told);
            n_wrong++;
        }
        arena_deinit(&arena);
    }
    relations_deinit(&relations);
    assert_int_equal(n_wrong, 0);
}

/* -- what does not ---------------------------------------------------------------------------- */

static const struct {
    const char *sql, *code, *at, *hint; /* at: text that stands at the offset; hint: part of it */
} failing[] = {
    {"SELECT nme FROM users", "COLUMN_NOT_ALLOWED", "nme", "'name'"},
    {"SELECT phne FROM users", "COLUMN_NOT_ALLOWED", "phne", ""}, /* phone is denied: no hint */
    {"SELECT phne FROM contacts", "COLUMN_NOT_ALLOWED", "phne", "'phone'"},
    {"SELECT u.nam FROM users u", "COLUMN_NOT_ALLOWED", "u.nam", "'name'"},
    {"SELECT usr.name FROM users user1, contacts usrs", "COLUMN_NOT_ALLOWED", "usr.name", "'usrs'"},
    {"SELECT users.name FROM users u", "COLUMN_NOT_ALLOWED", "users.name", ""},
    {"SELECT sales.users.name FROM users u", "COLUMN_NOT_ALLOWED", "sales.users.name", ""},
    {"SELECT ph\xd0\xbene FROM users", "COLUMN_NOT_ALLOWED", "ph\xd0\xbene", NULL},
    {"SELECT x", "COLUMN_NOT_ALLOWED", "x", ""},
    {"SELECT *", "SQL_NAME_ERROR", "*", ""},
    {"SELECT user_id FROM users, orders", "SQL_NAME_ERROR", "user_id", "alias"},
    {"SELECT 1 FROM users, users", "SQL_NAME_ERROR", "users", "alias"},
    {"SELECT 1 FROM users a JOIN orders A ON 1 = 1", "SQL_NAME_ERROR", "orders A", "alias"},
    {"SELECT 1 FROM orders o LATERAL VIEW explode(tags) o AS x", "SQL_NAME_ERROR", NULL, "alias"},
    {"SELECT tags FROM orders LATERAL VIEW explode(tags) t AS tags", "SQL_NAME_ERROR", "tags",
     "alias"},
    {"SELECT x FROM (SELECT 1 AS x, 2 AS x) t", "SQL_NAME_ERROR", "x", NULL},
    {"SELECT ext.nope FROM orders", "COLUMN_NOT_ALLOWED", "nope", ""},
    {"SELECT ds.x FROM orders", "COLUMN_NOT_ALLOWED", "ds.x", ""},
    {"SELECT Integer.MAX_VALUE FROM orders", "COLUMN_NOT_ALLOWED", "Integer", ""},
    {"SELECT name AS n, upper(n) FROM users", "COLUMN_NOT_ALLOWED", "n)", NULL},
    {"SELECT name AS n FROM users WHERE n = 'x'", "COLUMN_NOT_ALLOWED", "n =", NULL},
    {"SELECT b.user_id FROM users a LEFT SEMI JOIN orders b ON a.user_id = b.user_id",
     "COLUMN_NOT_ALLOWED", "b.user_id FROM", NULL},
    {"SELECT 1 FROM (SELECT u.name) t, users u", "COLUMN_NOT_ALLOWED", "u.name", NULL},
    {"SELECT 1 FROM users u JOIN (SELECT u.name x) t ON 1 = 1", "COLUMN_NOT_ALLOWED", "u.name",
     NULL},
    {"SELECT 1 FROM users JOIN orders USING (name)", "COLUMN_NOT_ALLOWED", "name", NULL},
    {"SELECT 1 FROM users JOIN orders USING (user_id, USER_ID)", "SQL_NAME_ERROR", "USER_ID", NULL},
    {"SELECT 1 FROM (users a JOIN orders b ON 1 = 1) NATURAL JOIN contacts c", "SQL_NAME_ERROR",
     NULL, NULL},
    {"SELECT nosuch.* FROM users", "SQL_NAME_ERROR", "nosuch", NULL},
    {"SELECT * EXCEPT (nosuch) FROM users", "COLUMN_NOT_ALLOWED", "nosuch", NULL},
    {"SELECT * REPLACE (1 AS nosuch) FROM users", "COLUMN_NOT_ALLOWED", "nosuch", NULL},
    {"SELECT `x.*y` FROM users", "COLUMN_NOT_ALLOWED", "`x.*y`", NULL},
    {"SELECT `(?<a>x).*` FROM users", "SQL_NOT_SUPPORTED", "`(?<a>x).*`", NULL},
    {"SELECT `x.*` AS y FROM (SELECT 1 x1, 2 x2) t WHERE `x.*` = 1", "COLUMN_NOT_ALLOWED", NULL,
     NULL},
    {"SELECT name FROM users UNION SELECT user_id, ds FROM orders", "SQL_NAME_ERROR",
     "SELECT user_id", NULL},
    {"SELECT name FROM users UNION SELECT name FROM users ORDER BY city", "COLUMN_NOT_ALLOWED",
     "city", NULL},
    {"SELECT * FROM users UNION ALL SELECT 1, 'a', 'b', 2", "SELECT_STAR_NOT_ALLOWED", NULL, NULL},
    {"SELECT 1 x, 2 x FROM users ORDER BY x", "SQL_NAME_ERROR", "x", NULL},
    {"WITH a AS (SELECT 1 x), A AS (SELECT 2 y) SELECT 1", "SQL_NAME_ERROR", "A AS", NULL},
    {"WITH a AS (SELECT * FROM b), b AS (SELECT 1 x) SELECT 1 FROM a", "TABLE_NOT_ALLOWED", "b)",
     NULL},
    {"WITH a(x, y) AS (SELECT 1) SELECT 1", "SQL_NAME_ERROR", "x, y", NULL},
    {"SELECT 1 FROM (SELECT 1, 2) t(a)", "SQL_NAME_ERROR", "a)", NULL},
    {"SELECT 1 FROM VALUES (1, 2), (3) t(a, b)", "SQL_NAME_ERROR", NULL, NULL},
    {"SELECT 1 FROM VALUES (1, user_id) t(a, b)", "COLUMN_NOT_ALLOWED", "user_id", NULL},
    {"SELECT 1 FROM VALUES ((SELECT max(phone) FROM users)) t(a)", "SQL_NOT_SUPPORTED", NULL, NULL},
    {"SELECT (SELECT 1, 2)", "SQL_NAME_ERROR", NULL, NULL},
    {"SELECT 1 WHERE 1 IN (SELECT 1, 2)", "SQL_NAME_ERROR", NULL, NULL},
    {"SELECT name FROM users WHERE max(level) > 1", "SQL_NAME_ERROR", "max", NULL},
    {"SELECT sum(max(level)) FROM users", "SQL_NAME_ERROR", "max", NULL},
    {"SELECT sum(row_number() OVER (ORDER BY level)) FROM users", "SQL_NAME_ERROR", "row_number",
     NULL},
    {"SELECT name FROM users WHERE rank() OVER (ORDER BY level) = 1", "SQL_NAME_ERROR", "rank",
     NULL},
    {"SELECT count(1) c FROM users GROUP BY c", "SQL_NAME_ERROR", "c", NULL},
    {"SELECT row_number() FROM users", "SQL_NAME_ERROR", "row_number", NULL},
    {"SELECT upper(name) OVER (ORDER BY level) FROM users", "SQL_NAME_ERROR", "upper", NULL},
    {"SELECT sum(level) OVER nosuch FROM users", "SQL_NAME_ERROR", "nosuch", NULL},
    {"SELECT 1 FROM users WINDOW a AS (b), b AS (ORDER BY name)", "SQL_NAME_ERROR", "b)", NULL},
    {"SELECT 1 FROM users WINDOW a AS (ORDER BY name), A AS (ORDER BY name)", "SQL_NAME_ERROR",
     "A AS", NULL},
    {"SELECT name FROM users QUALIFY name = 'x'", "SQL_NAME_ERROR", "name = 'x'", NULL},
    {"SELECT explode(tags), ds FROM orders", "SQL_NAME_ERROR", "explode", NULL},
    {"SELECT (props) AS (k, v) FROM orders", "SQL_NAME_ERROR", "v)", NULL},
    {"SELECT upper(explode(tags)) FROM orders", "SQL_NAME_ERROR", "explode", NULL},
    {"SELECT 1 FROM orders LATERAL VIEW upper(ds) t AS x", "SQL_NAME_ERROR", "upper", NULL},
    {"SELECT 1 FROM orders LATERAL VIEW explode(tags) t AS x, y", "SQL_NAME_ERROR", "x, y", NULL},
    {"SELECT substr('a') FROM users", "SQL_NAME_ERROR", "substr", NULL},
    {"SELECT ? FROM users", "SQL_NOT_SUPPORTED", "?", NULL},
    {"SELECT :x FROM users", "SQL_NOT_SUPPORTED", ":x", NULL},
    {"SELECT 1 FROM my_view(1) v", "SQL_NOT_SUPPORTED", "my_view", NULL},
    {"SELECT x FROM users LIMIT 1", "COLUMN_NOT_ALLOWED", "x", NULL},
    {"SELECT 1 FROM users LIMIT 1 + 1", "LIMIT_MUST_BE_LITERAL", "1 + 1", NULL},
    {"SELECT 1 FROM users LIMIT (SELECT max(phone) FROM users)", "LIMIT_MUST_BE_LITERAL", NULL,
     NULL},
    {"SELECT transform(tags, x -> y) FROM orders", "COLUMN_NOT_ALLOWED", "y", NULL},
    {"SELECT transform(tags, x -> 1), x FROM orders", "COLUMN_NOT_ALLOWED", "x FROM", NULL},
    {"SELECT transform(tags, x -> (SELECT 1)) FROM orders", "SQL_NOT_SUPPORTED", NULL, NULL},
    {"SELECT 1 FROM contacts PIVOT (upper(phone) FOR channel IN ('a'))", "SQL_NAME_ERROR", "upper",
     NULL},
    {"SELECT 1 FROM contacts PIVOT (count(1) FOR nosuch IN ('a'))", "COLUMN_NOT_ALLOWED", "nosuch",
     NULL},
    {"SELECT phone FROM contacts UNPIVOT (v FOR k IN (phone, channel)) u", "COLUMN_NOT_ALLOWED",
     "phone FROM", NULL},
    {"SELECT (SELECT max(u.level) FROM orders o WHERE o.user_id = u.user_id) FROM users u",
     "SQL_NOT_SUPPORTED", "max(u.level)", "derived table"},
    {"SELECT 1 FROM users u WHERE EXISTS (SELECT 1 FROM orders HAVING sum(u.level) > 1)",
     "SQL_NOT_SUPPORTED", "sum(u.level)", "derived table"},
    {"SELECT 1 FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE u.nam = o.ds)",
     "COLUMN_NOT_ALLOWED", "u.nam", "'name'"},
    {"SELECT 1 FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE u.phon = o.ds)",
     "COLUMN_NOT_ALLOWED", "u.phon", ""},
    {"SELECT named_struct('a', name).b FROM users", "COLUMN_NOT_ALLOWED", NULL, ""},
    {"SELECT struct(name, level).col3 FROM users", "COLUMN_NOT_ALLOWED", NULL, ""},
    /* what is not there and what is not granted are told in the same words */
    {"SELECT 1 FROM nosuch", "TABLE_NOT_ALLOWED", "nosuch", NULL},
    {"SELECT 1 FROM x.y.z", "TABLE_NOT_ALLOWED", "x.y.z", NULL},
    {"SELECT nosuch FROM hr.salaries", "TABLE_NOT_ALLOWED", "hr.salaries", NULL},
    {"SELECT s.nosuch, u.name FROM users u JOIN hr.salaries s ON u.user_id = s.user_id",
     "TABLE_NOT_ALLOWED", "hr.salaries", NULL},
    {"SELECT user_id FROM users, hr.salaries", "TABLE_NOT_ALLOWED", "hr.salaries", NULL},
};

static void refuses(void **state) {
    (void)state;
    struct relations relations;
    make_relations(&relations);
    for (size_t i = 0; i < COUNT(failing); i++) {
        struct arena arena;
        struct resolved *resolved;
        struct report report = {0};
        struct str sql = str_of(failing[i].sql);
        arena_init(&arena, BUDGET);
        result r = run(&relations, sql, &arena, &resolved, &report);
        if (r.why == FAIL_NONE)
            fail_msg("%s\nresolves: %.*s", failing[i].sql, STR_ARG(tell(resolved, &arena)));
        bool is_at = failing[i].at == NULL ||
                     str_starts(str_slice(sql, report.offset, sql.len), str_of(failing[i].at));
        bool is_hint = failing[i].hint == NULL ||
                       (failing[i].hint[0] == '\0' ? report.hint[0] == '\0'
                                                   : strstr(report.hint, failing[i].hint) != NULL);
        if (strcmp(report.code, failing[i].code) != 0 || !is_at || !is_hint)
            fail_msg("%s\n%s at %zu: %s (%s)", failing[i].sql, report.code, report.offset,
                     report.sentence, report.hint);
        arena_deinit(&arena);
    }
    relations_deinit(&relations);
}

/* The same words for a table that is denied and for one that is not there, whatever else is wrong.
 */
static void tells_nothing_of_denied_tables(void **state) {
    (void)state;
    static const char *const with_table[] = {
        "SELECT nosuch FROM %s",
        "SELECT t.nosuch FROM %s t",
        "SELECT * EXCEPT (nosuch) FROM %s",
        "SELECT 1 FROM users JOIN %s USING (salary)",
        "SELECT `no.*` FROM %s",
        "SELECT 1 FROM %s, nosuch",
        "SELECT ? FROM %s",
        "SELECT (SELECT 1 FROM %s), max(max(level)) FROM users"};
    struct relations relations;
    make_relations(&relations);
    for (size_t i = 0; i < COUNT(with_table); i++) {
        struct report reports[2] = {0};
        const char *const tables[2] = {"hr.salaries", "hr.salariez"};
        for (size_t j = 0; j < 2; j++) {
            struct arena arena;
            struct resolved *resolved;
            arena_init(&arena, BUDGET);
            char *hole = strstr(with_table[i], "%s");
            struct str sql = str_printf(&arena, "%.*s%s%s", (int)(hole - with_table[i]),
                                        with_table[i], tables[j], hole + 2);
            (void)run(&relations, sql, &arena, &resolved, &reports[j]);
            arena_deinit(&arena);
        }
        assert_string_equal(reports[0].code, "TABLE_NOT_ALLOWED");
        assert_string_equal(reports[1].code, "TABLE_NOT_ALLOWED");
        char *z = strstr(reports[1].sentence, "salariez");
        assert_non_null(z);
        z[7] = 's';
        assert_string_equal(reports[0].sentence, reports[1].sentence);
        assert_int_equal(reports[0].offset, reports[1].offset);
        assert_string_equal(reports[0].hint, reports[1].hint);
    }
    relations_deinit(&relations);
}

/* -- what later stages ask -------------------------------------------------------------------- */

static void finds_base_columns(void **state) {
    (void)state;
    struct relations relations;
    struct arena arena;
    struct resolved *resolved;
    make_relations(&relations);
    arena_init(&arena, BUDGET);
    struct str sql = STR("WITH c AS (SELECT * FROM contacts) "
                         "SELECT t.channel, t.u, t.n FROM (SELECT channel, upper(phone) u, "
                         "count(1) n FROM c GROUP BY channel, phone) t");
    assert_int_equal(run(&relations, sql, &arena, &resolved, NULL).why, FAIL_NONE);
    const struct sql_select *select = resolved->root->query->select;
    const struct resolved_ref *ref = resolved_ref(resolved, select->items[0].expr);
    const struct resolved_column *base = resolved_base(resolved, ref->column);
    assert_non_null(base);
    assert_true(str_eq(base->name, STR("channel")));
    assert_non_null(base->source->relation);
    assert_null(resolved_base(resolved, resolved_ref(resolved, select->items[1].expr)->column));
    assert_null(resolved_base(resolved, resolved_ref(resolved, select->items[2].expr)->column));
    assert_int_equal(resolved_type(resolved, select->items[2].expr).kind, SQL_TYPE_BIGINT);
    assert_ptr_equal(resolved_source(resolved, select->from), resolved->root->from);
    assert_ptr_equal(resolved_query(resolved, resolved->root->query), resolved->root);
    assert_int_equal(resolved->root->ctes[0].n_readers, 1);
    arena_deinit(&arena);
    relations_deinit(&relations);
}

static void knows_calls(void **state) {
    (void)state;
    struct relations relations;
    struct arena arena;
    struct resolved *resolved;
    make_relations(&relations);
    arena_init(&arena, BUDGET);
    struct str sql = STR("SELECT max_pt('sales.orders'), max_pt('nosuch'), max_pt(ds), my_udf(1), "
                         "::abs(1), p:f(2), current_user, max_pt('hr' '.salaries') FROM orders");
    assert_int_equal(run(&relations, sql, &arena, &resolved, NULL).why, FAIL_NONE);
    assert_int_equal(resolved->n_calls, 8);
    assert_true(str_eq(resolved->calls[0]->relation->schema->name, STR("orders")));
    assert_null(resolved->calls[1]->relation);
    assert_null(resolved->calls[2]->relation);
    assert_null(resolved->calls[3]->function);
    assert_string_equal(resolved->calls[4]->function->name, "abs");
    assert_null(resolved->calls[5]->function);
    assert_true(resolved->calls[6]->function->flags & FUNCTION_REFUSED);
    assert_int_equal(resolved->calls[7]->relation->effect, GRANT_DENY);
    arena_deinit(&arena);
    relations_deinit(&relations);
}

static void marks_blocks(void **state) {
    (void)state;
    struct relations relations;
    struct arena arena;
    struct resolved *resolved;
    make_relations(&relations);
    arena_init(&arena, BUDGET);
    struct str sql = STR("SELECT u.name, rank() OVER (ORDER BY level) FROM users u WHERE EXISTS "
                         "(SELECT max(order_id) FROM orders o WHERE o.user_id = u.user_id)");
    assert_int_equal(run(&relations, sql, &arena, &resolved, NULL).why, FAIL_NONE);
    const struct resolved_query *inner =
        resolved_query(resolved, resolved->root->query->select->where->query);
    assert_true(resolved->root->has_window);
    assert_false(resolved->root->is_grouped);
    assert_false(resolved->root->is_correlated);
    assert_true(inner->is_grouped);
    assert_true(inner->is_correlated);
    assert_true(inner->outputs[0].has_aggregate);
    assert_ptr_equal(inner->outer, resolved->root);
    assert_int_equal(resolved->n_queries, 2);
    assert_ptr_equal(resolved->queries[1], resolved->root);
    arena_deinit(&arena);
    relations_deinit(&relations);
}

static void resolves_policy(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum fail why;
    } cases[] = {
        {"city = 'cn' AND level > 1", FAIL_NONE},
        {"concat(substr(phone, 1, 3), '****')", FAIL_NONE},
        {"profile.income > 1", FAIL_NONE},
        {"nosuch = 1", FAIL_DENIED},
        {"users.city = 'cn'", FAIL_DENIED}, /* the alias inside is not the policy's to know */
        {"city IN (SELECT city FROM users)", FAIL_DENIED},
        {"max(level) > 1", FAIL_INPUT},
        {"rank() OVER (ORDER BY level) = 1", FAIL_INPUT},
    };
    struct relations relations;
    make_relations(&relations);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena arena;
        struct sql_expr *expr = NULL;
        struct resolved *resolved = NULL;
        struct report report = {0};
        arena_init(&arena, BUDGET);
        assert_int_equal(sql_parse_expr(str_of(cases[i].text), NULL, &arena, &expr, NULL).why,
                         FAIL_NONE);
        result r =
            sql_resolve_over(expr, &relations.at[0], &relations.grant, &arena, &resolved, &report);
        if (r.why != cases[i].why) fail_msg("%s: %s", cases[i].text, report.sentence);
        if (r.why == FAIL_NONE) assert_true(resolved->n_uses > 0);
        arena_deinit(&arena);
    }
    relations_deinit(&relations);
}

static void hands_on_what_the_source_cannot(void **state) {
    (void)state;
    struct relations relations;
    struct arena arena;
    struct resolved *resolved;
    struct report report = {0};
    make_relations(&relations);
    relations.broken.why = FAIL_BACKEND;
    arena_init(&arena, BUDGET);
    result r = run(&relations, STR("SELECT 1 FROM users"), &arena, &resolved, &report);
    assert_int_equal(r.why, FAIL_BACKEND);
    assert_string_equal(report.code, "BACKEND_ERROR");
    arena_deinit(&arena);
    relations_deinit(&relations);
}

/* -- hostile ---------------------------------------------------------------------------------- */

static struct str many(struct arena *arena, const char *before, const char *item, size_t n,
                       const char *after) {
    struct buf buf;
    buf_init(&buf, 4 * 1024 * 1024);
    buf_add(&buf, str_of(before));
    for (size_t i = 0; i < n; i++) {
        if (i > 0) buf_add_byte(&buf, ',');
        buf_add(&buf, str_of(item));
    }
    buf_add(&buf, str_of(after));
    struct str text = str_dup(arena, buf_flat(&buf, arena));
    buf_deinit(&buf);
    return text;
}

static void bounds_what_it_holds(void **state) {
    (void)state;
    static const struct {
        const char *before, *item;
        size_t n;
        const char *after;
        enum fail why;
    } cases[] = {
        {"SELECT ", "name", 4096, " FROM users", FAIL_NONE},
        {"SELECT ", "*", 683, " FROM users", FAIL_LIMIT}, /* six columns each */
        {"SELECT 1 FROM users WHERE level IN (", "user_id", 9000, ")", FAIL_NONE},
        {"SELECT name FROM users ORDER BY ", "name", 4000, "", FAIL_NONE},
        {"SELECT ", "(SELECT max(level) FROM users)", 2000, "", FAIL_NONE},
    };
    struct relations relations;
    make_relations(&relations);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena arena;
        struct resolved *resolved;
        struct report report = {0};
        arena_init(&arena, 2L * BUDGET);
        struct str sql = many(&arena, cases[i].before, cases[i].item, cases[i].n, cases[i].after);
        result r = run(&relations, sql, &arena, &resolved, &report);
        if (r.why != cases[i].why) fail_msg("case %zu: %s", i, report.sentence);
        arena_deinit(&arena);
    }
    relations_deinit(&relations);
}

/* As deep as the parser lets it be: whatever parses must resolve without running out of stack. */
static void *nest(void *failure) {
    static const struct {
        const char *open, *middle, *close;
    } cases[] = {
        {"SELECT * FROM (", "SELECT name FROM users", ") t"},
        {"SELECT (", "SELECT max(level) FROM users", ")"},
        {"SELECT 1 FROM users WHERE level IN (", "SELECT level FROM users", ")"},
        {"SELECT 1 FROM users u WHERE EXISTS (", "SELECT u.level FROM users", ")"},
        {"WITH a AS (", "SELECT level FROM users", ") SELECT * FROM a"},
        {"SELECT 1 FROM contacts WHERE user_id = abs(", "1", ")"},
    };
    struct relations relations;
    make_relations(&relations);
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t n_resolved = 0;
        for (size_t depth = 1; depth <= 300; depth += depth < 8 ? 1 : 12) {
            struct arena arena;
            struct sql_query *query = NULL;
            struct resolved *resolved = NULL;
            struct buf buf;
            arena_init(&arena, BUDGET);
            buf_init(&buf, 1024 * 1024);
            for (size_t j = 0; j < depth; j++)
                buf_add(&buf, i == 5 && j > 0 ? STR("abs(") : str_of(cases[i].open));
            buf_add(&buf, str_of(cases[i].middle));
            for (size_t j = 0; j < depth; j++) buf_add(&buf, str_of(cases[i].close));
            struct str sql = str_dup(&arena, buf_flat(&buf, &arena));
            buf_deinit(&buf);
            if (sql_parse(sql, NULL, &arena, &query, NULL).why == FAIL_NONE) {
                struct report report = {0};
                result r = sql_resolve(query, &relations.grant, &arena, &resolved, &report);
                if (r.why != FAIL_NONE) *(struct report *)failure = report;
                n_resolved++;
            }
            arena_deinit(&arena);
        }
        if (n_resolved < 8) *(struct report *)failure = (struct report){.why = FAIL_INPUT};
    }
    relations_deinit(&relations);
    return NULL;
}

/* The stack of a worker; what the sanitizers put around each variable needs more. */
#ifdef WEIR_SANITIZED
enum { STACK_BYTES = 4 * 1024 * 1024 };
#else
enum { STACK_BYTES = 256 * 1024 };
#endif

static void nests_as_deep_as_it_parses(void **state) {
    (void)state;
    pthread_t thread;
    pthread_attr_t attributes;
    struct report failure = {0};
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, nest, &failure), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_attr_destroy(&attributes);
    if (failure.why != FAIL_NONE) fail_msg("%s %s", failure.code, failure.sentence);
}

/* n CTEs, each reading the one before twice: 2^n scans when written out, n here. */
static void does_not_double(void **state) {
    (void)state;
    struct relations relations;
    struct arena arena;
    struct resolved *resolved;
    struct buf buf;
    struct report report = {0};
    make_relations(&relations);
    arena_init(&arena, BUDGET);
    buf_init(&buf, 1024 * 1024);
    buf_add(&buf, STR("WITH c0 AS (SELECT level FROM users)"));
    for (int i = 1; i < 250; i++)
        buf_addf(&buf, ", c%d AS (SELECT a.level FROM c%d a JOIN c%d b ON a.level = b.level)", i,
                 i - 1, i - 1);
    buf_add(&buf, STR(" SELECT * FROM c249"));
    result r = run(&relations, buf_flat(&buf, &arena), &arena, &resolved, &report);
    if (r.why != FAIL_NONE) fail_msg("%s", report.sentence);
    assert_int_equal(resolved->n_uses, 1);
    assert_int_equal(resolved->n_queries, 251);
    buf_deinit(&buf);
    arena_deinit(&arena);
    relations_deinit(&relations);
}

static void survives_the_nth_failure(void **state) {
    (void)state;
    static const char *const statements[] = {
        ("WITH c AS (SELECT * FROM users) SELECT c.name n, count(1) OVER (PARTITION BY city) FROM "
         "c "
         "JOIN contacts USING (user_id) LATERAL VIEW explode(split(channel, ',')) l AS x "
         "WHERE EXISTS (SELECT ext.ip FROM orders WHERE ds = c.name) ORDER BY n"),
        ("SELECT `(phone)?+.+` FROM contacts PIVOT (count(phone) FOR channel IN ('a')) p "
         "NATURAL JOIN (SELECT region FROM regions) r UNION SELECT 1, 2, transform(array(1), x -> "
         "x) FROM VALUES (1) t(a)"),
        ("SELECT * EXCEPT (name) REPLACE (1 AS city) FROM users WHERE city = "
         "max_pt('sales.orders')")};
    struct relations relations;
    make_relations(&relations);
    for (size_t i = 0; i < COUNT(statements); i++)
        for (long n = 0;; n++) {
            struct arena arena;
            struct resolved *resolved;
            struct sql_query *query = NULL;
            arena_init(&arena, 256 * 1024);
            assert_int_equal(sql_parse(str_of(statements[i]), NULL, &arena, &query, NULL).why,
                             FAIL_NONE);
            /* a fresh block, so that the failures fall into resolving */
            (void)arena_alloc(&arena, 60 * 1024, 1);
            fault_set(n);
            result r = sql_resolve(query, &relations.grant, &arena, &resolved, NULL);
            bool is_over = fault_unused();
            fault_off();
            arena_deinit(&arena);
            if (is_over) break;
            assert_int_equal(r.why, FAIL_MEMORY);
            assert_true(n < 10000);
        }
    relations_deinit(&relations);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolves),
        cmocka_unit_test(refuses),
        cmocka_unit_test(tells_nothing_of_denied_tables),
        cmocka_unit_test(finds_base_columns),
        cmocka_unit_test(knows_calls),
        cmocka_unit_test(marks_blocks),
        cmocka_unit_test(resolves_policy),
        cmocka_unit_test(hands_on_what_the_source_cannot),
        cmocka_unit_test(bounds_what_it_holds),
        cmocka_unit_test(nests_as_deep_as_it_parses),
        cmocka_unit_test(does_not_double),
        cmocka_unit_test(survives_the_nth_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
