#include "road/names.h"

#include "shape/text.h"

/* Parts of a full name; a column's own name is all behind the third dot. */
enum { PART_PROJECT, PART_SCHEMA, PART_TABLE, PART_COLUMN, PARTS };

static void split(struct str name, struct str parts[PARTS]) {
    for (size_t i = PART_PROJECT; i < PART_COLUMN; i++) parts[i] = str_cut(&name, '.');
    parts[PART_COLUMN] = name;
}

static void put_table(struct json_writer *w, struct str name) {
    struct str parts[PARTS];
    split(name, parts);
    char shown[3 * 256];
    bool is_default = str_eq(parts[PART_SCHEMA], STR("default")) && parts[PART_TABLE].len > 0;
    size_t len = parts[PART_PROJECT].len + 1 + parts[PART_TABLE].len;
    if (!is_default || len > sizeof shown) {
        text_write(w, name, TEXT_VISIBLE);
        return;
    }
    memcpy(shown, parts[PART_PROJECT].ptr, parts[PART_PROJECT].len);
    shown[parts[PART_PROJECT].len] = '.';
    memcpy(shown + parts[PART_PROJECT].len + 1, parts[PART_TABLE].ptr, parts[PART_TABLE].len);
    text_write(w, (struct str){shown, len}, TEXT_VISIBLE);
}

void names_put_tables(struct json_writer *w, const struct name_list *tables) {
    json_array(w);
    for (size_t i = 0; i < tables->n; i++) put_table(w, tables->items[i]);
    json_array_end(w);
}

static struct str column_of(struct str name) {
    struct str parts[PARTS];
    split(name, parts);
    return parts[PART_COLUMN].len > 0 ? parts[PART_COLUMN] : name;
}

/* Columns of two tables may have one name; it is shown once. */
static bool is_shown(const struct name_list *columns, size_t i) {
    struct str name = column_of(columns->items[i]);
    for (size_t k = 0; k < i; k++)
        if (str_eq(column_of(columns->items[k]), name)) return true;
    return false;
}

/* Beyond NAMES_COMPARED a list is shown as it is: comparing each with each would cost too much. */
enum { NAMES_COMPARED = 512 };

void names_put_columns(struct json_writer *w, const struct name_list *columns) {
    json_array(w);
    for (size_t i = 0; i < columns->n; i++)
        if (columns->n > NAMES_COMPARED || !is_shown(columns, i))
            text_write(w, column_of(columns->items[i]), TEXT_VISIBLE);
    json_array_end(w);
}
