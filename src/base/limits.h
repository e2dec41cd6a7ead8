/*
 * base/limits.h - every maximum, with its reason
 *
 * A cap that is chosen at the call is a cap that nobody can review. Each floor has a section here.
 * Where a setting can change a maximum, the setting's row (base/option.h) takes its default here.
 */
#ifndef WEIR_BASE_LIMITS_H
#define WEIR_BASE_LIMITS_H

#define KIB (INT64_C(1) << 10)
#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)

/* -- text: what a reader accepts ------------------------------------------------------------- */
#define JSON_DEPTH_MAX        64         /* MCP messages nest below 20; a schema rarely below 30 */
#define JSON_BYTES_MAX        (8 * MIB)  /* as the body of a request */
#define JSON_MEMBERS_MAX      100000     /* of one object or array: bounds the duplicate check */
#define JSON_NUMBER_BYTES_MAX 512        /* a decimal has 38 digits, the largest double 309 */
#define JSON_WRITE_DEPTH_MAX  128        /* a tree of JSON_DEPTH_MAX inside an envelope, twice */
#define YAML_BYTES_MAX        (16 * MIB) /* the design's "a file 16 MiB" */
#define YAML_DEPTH_MAX        64
#define YAML_NODES_MAX        2000000

#define REGEX_BYTES_MAX  4096 /* of a pattern */
#define REGEX_PARTS_MAX  1000 /* of its program: a search holds 10 bytes for each */
#define REGEX_REPEAT_MAX 1000 /* {n}, as in RE2 */
#define REGEX_DEPTH_MAX  32
#define REGEX_WORK_MAX   100000  /* steps of making a program */
#define REGEX_STEPS_MAX  4000000 /* of one search: some 20 ms */

/* -- net: what a peer may send, and what we hold for it ---------------------------------------- */
#define HTTP_HEAD_BYTES_MAX            (16 * KIB) /* request line, headers; 64 KB is an attack */
#define HTTP_HEADERS_MAX               128
#define HTTP_BODY_BYTES_MAX            (4 * MIB) /* default of server.max_body_bytes */
#define HTTP_METHOD_BYTES_MAX          32        /* the longest registered method has 17 */
#define HTTP_TARGET_BYTES_MAX          (8 * KIB) /* RFC 9112 3: at least 8000 */
#define HTTP_CHUNK_DIGITS_MAX          15        /* hex digits that cannot overflow 64 bits */
#define HTTP_CHUNK_EXTENSION_BYTES_MAX 1024      /* of one request; nobody has a use for them */
#define HTTP_STREAM_QUEUE_BYTES        (1 * MIB) /* default: unread bytes of one event stream */
#define HTTP_CONNECTIONS_MAX           10000 /* default; a process may hold 20,000 descriptors */
#define HTTP_LOOPS_MAX                 64    /* more threads than that only switch */
#define HTTP_WRITE_STEP                (64 * KIB) /* taking this earns a slow reader a new deadline */
#define HTTP_LINGER_MS                 1000 /* for a last answer to arrive before a reset can */
#define HTTP_LINGER_BYTES              (1 * MIB) /* swallowed meanwhile */
#define HTTP_INBOX_BYTES               (8 * KIB) /* nearly every request fits */
#define HTTP_INBOXES_KEPT              32        /* of each loop, for the next requests */
#define HTTP_OUTBOX_COPY_BYTES         (2 * KIB) /* up to here copying costs less than a chunk */
#define HTTP_STREAM_HEADERS_MAX        32        /* of one stream's beginning */
#define HTTP_IOV_MAX                   32        /* chunks written at once */
#define HTTP_ACCEPTS_MAX               64        /* of one event: others wait too */
#define HTTP_ACCEPT_PAUSE_MS           100       /* when the process has no descriptor left */
#define HTTP_BACKLOG                   1024      /* connections the kernel holds for us */
#define LOOP_EVENTS_MAX                256       /* of one turn: bounds how late a timer is */
#define FETCH_TIMEOUT_MS               10000     /* default, of one request to another server */
#define FETCH_TIMEOUT_MS_MAX           (INT64_C(10) * 60000)
#define FETCH_BYTES_MAX                (16 * MIB) /* of an answer; twice a reply of ours */
#define FETCH_HEAD_BYTES_MAX           (64 * KIB)
#define FETCH_REDIRECTS_MAX            3
#define FETCH_HANDLES_KEPT             16 /* idle, of 40 KB each */
#define FETCH_CONNECTIONS_KEPT         4  /* of one handle */

/* -- store: what replicas share ------------------------------------------------------------------
 */
#define STORE_KEY_BYTES_MAX     512
#define STORE_VALUE_BYTES_MAX   (32 * MIB) /* a reply of REPLY_BYTES_MAX, twice, escaped */
#define STORE_TTL_MS_MAX        (INT64_C(366) * 86400000) /* longer is for ever */
#define STORE_READ_MAX          1000                      /* entries of one read of a log */
#define STORE_READ_BYTES_MAX    (4 * MIB)                 /* likewise, unless the first is larger */
#define STORE_BYTES             (1 * GIB)                 /* default of store.max_bytes */
#define STORE_BYTES_MAX         (1024 * GIB)
#define STORE_ENTRY_BYTES       128  /* what an entry costs beside key and value, in indexes too */
#define STORE_WAIT_MS           5000 /* default of store.wait: commits take a few ms */
#define STORE_WAIT_MS_MAX       60000
#define STORE_READERS           4          /* connections that read at the same time */
#define STORE_GROUP_MAX         256        /* writes of one commit */
#define STORE_GROUP_BYTES       (32 * MIB) /* likewise: what the log of writes may grow by */
#define STORE_CHECK_BYTES       (4 * MIB)  /* a file up to here is checked whole at the start */
#define STORE_SWEEP_MAX         256        /* expired rows of each sort that one sweep removes */
#define STORE_SWEEP_MS          1000       /* between two sweeps */
#define STORE_WINDOWS_MAX       32         /* limits that one call is charged to at once */
#define STORE_WINDOW_MAX        1000000    /* calls that one window may admit: each is remembered */
#define STORE_HIT_BYTES         32         /* what it costs to remember one */
#define STORE_PLACES_MAX        10000      /* under one key: they are counted at each entry */
#define STORE_LINKS             16 /* connections to Redis: a step takes less than a millisecond */
#define STORE_LINK_PAUSE_MS     50 /* after a connection failed; doubles with each that fails */
#define STORE_LINK_PAUSE_MAX    1000                          /* of that */
#define STORE_REPLY_BYTES_MAX   (STORE_VALUE_BYTES_MAX + MIB) /* of one question or answer */
#define STORE_REPLY_ITEMS_MAX   (STORE_READ_MAX + 8)
#define STORE_REPLY_KEPT_BYTES  (64 * KIB)  /* memory that a connection keeps for its next answer */
#define STORE_TAKES_MAX         64          /* tries, each lost to another who was faster */
#define STORE_REDIS_ARENA_BYTES (256 * KIB) /* scripts, address, names: 16 scripts of 6 KB */

/* -- call: what one call may hold ------------------------------------------------------------- */
#define CALL_ARENA_BYTES    (64 * MIB) /* trees of a 1 MiB statement fit many times over */
#define REPLY_BYTES_MAX     (8 * MIB)  /* default of limits.reply_max_bytes (design, section 10) */
#define CALL_ENVELOPE_BYTES (1 * MIB)  /* beside the rows: metadata, tables and columns used */

/* -- shape: what a reply may be -----------------------------------------------------------------
 */
#define REPLY_CUT_CHARS      460   /* of what a cut reply says of it: note and numbers */
#define REPLY_ADVICE_MAX     5     /* hints of one refusal; Superset's number */
#define SIZE_COUNT_ROWS      10000 /* counted behind a cut, to tell how many there were */
#define SIZE_COUNT_MS        500   /* likewise: no longer */
#define KEEP_MS              2000  /* rows behind a cut are set aside for so long */
#define KEEP_TTL_MS_MAX      (INT64_C(24) * 3600000)
#define KEEP_BYTES_MAX       (16 * MIB)  /* of one result: its call holds them twice */
#define KEEP_CHUNK_BYTES     (128 * KIB) /* of its rows, as they are stored: about a page */
#define KEEP_CALLER_BYTES    (64 * MIB)  /* of all results of one caller, while one lives */
#define KEEP_READ_MAX        4           /* chunks that are read at once */
#define CACHE_TTL_MS_MAX     (INT64_C(30) * 86400000)
#define CACHE_ITEM_BYTES     256       /* what an entry costs beside key and value */
#define RECALL_KEY_BYTES_MAX (8 * MIB) /* what a key is made of: the arguments, most of all */

/* -- road: who waits, and what is written down --------------------------------------------------
 */
#define POOL_METADATA_THREADS 8   /* of the design, section 2 */
#define POOL_QUERY_THREADS    256 /* each waits for an engine nearly all the time */
#define POOL_WAITING_THREADS  64  /* each waits for its client's user */
#define POOL_STACK_BYTES                                                                           \
    (1 * MIB) /* address space; the parser's nesting limit is measured for it */
#define POOL_IDLE_SECONDS 60
#define POOL_RETRY_MS     2000
#define RECORD_TEXT_BYTES_MAX                                                                      \
    (64 * KIB) /* of one argument in the record; SQL is kept whole beside */
#define RECORD_PARAMS_BYTES_MAX (1 * MIB)
#define REFUSED_PEERS_MAX       512 /* strangers told apart in one minute */

/* -- house: a configuration ---------------------------------------------------------------------
 */
#define CONFIG_BYTES_MAX (512 * MIB) /* all files of a directory, as trees and compiled */

#define CONFIG_PROBLEM_BYTES_MAX (16 * MIB)

/* -- house: a process that serves ----------------------------------------------------------------
 */
#define DRAIN_LOOK_MS    20   /* between looks whether all has ended */
#define DRAIN_GRACE_MS   1000 /* after drain_timeout: for the answers of what was cancelled then */
#define TRIM_CONNECTIONS 1000 /* that closed: then their memory is given back to the system */

/* -- tools: resources and prompts ----------------------------------------------------------------
 */
#define RESOURCE_URI_BYTES_MAX    2048       /* a table's name, three bytes for each of its bytes */
#define PROMPT_ARGUMENT_BYTES_MAX (64 * KIB) /* the caller's own words, said back to him */
#define PROMPT_WORD_BYTES_MAX     256        /* of one name or comment shown in a prompt */
#define PROMPT_BYTES_MAX          (1 * MIB)
#define PROMPT_ITEMS_MAX          100   /* tables or columns shown in a prompt */
#define READ_TTL_MS               10000 /* a resource is stale for so long after a reload */
#define LIST_PAGE_ITEMS           200   /* of a list: a toolset, and the tables of a team */
#define COMPLETION_VALUES         100   /* the protocol's maximum */
#define TOOL_LIST_BYTES_ADVISED   24000 /* about 7,000 tokens, that every agent reads every turn */

/* -- mcp: the door ------------------------------------------------------------------------------
 */
#define TOOL_TEXT_BYTES_MAX  (256 * KIB) /* one tool in tools/list */
#define MCP_TEXTS_BYTES_MAX  (16 * MIB)  /* all of them, twice */
#define LIST_TTL_MS          10000       /* a list is stale for so long after a reload */
#define STDIO_LINE_BYTES_MAX (4 * MIB)   /* as the body of a request */

#define HEALTH_BYTES_MAX   (64 * KIB)
#define METADATA_BYTES_MAX (64 * KIB) /* of OAuth, and a challenge */

#define PREFLIGHT_BYTES_MAX (4 * KIB) /* names of headers that a page may send */

#define DESK_THREADS                 16 /* each waits for the store, which commits in groups */
#define DESK_QUEUE_MAX               4096
#define ENTRY_THREADS                32  /* each waits for an issuer or for the store */
#define ENTRY_QUEUE_MAX              256 /* more would wait longer than their clients do */
#define ENTRY_RETRY_SECONDS          "2" /* as Retry-After says it */
#define SESSION_TTL_MS               (INT64_C(24) * 3600000) /* after its last use */
#define SESSION_BYTES_MAX            (256 * KIB) /* of one record: capabilities and subscriptions */
#define NOTIFICATION_BYTES_MAX       (1 * MIB)   /* one progress or log message */
#define JOURNAL_LEASE_MS             5000 /* after which a replica that is silent counts as gone */
#define JOURNAL_BEAT_MS              1000
#define JOURNAL_TTL_MS               (INT64_C(10) * 60000) /* for a client to come back for its answer */
#define JOURNAL_RUN_TTL_MS           (INT64_C(25) * 3600000) /* while it runs: the longest query */
#define JOURNAL_ARENA_BYTES          (1 * MIB)
#define JOURNAL_READ_MAX             256        /* events read at once */
#define NEWS_LOOK_MS                 500        /* between looks at what other replicas tell */
#define NEWS_KEPT                    4096       /* items; who is further behind has missed some */
#define NEWS_READ_MAX                256        /* items read at once */
#define NEWS_ITEM_BYTES_MAX          (16 * KIB) /* a request's id may be long */
#define NEWS_ARENA_BYTES             (16 * MIB)
#define RESUME_LOOK_MS               100 /* between looks at what another replica has written */
#define TASK_TTL_MS                  (INT64_C(60) * 60000) /* a task and its result, from its beginning */
#define TASK_POLL_MS                 500                   /* how often a client is told to ask */
#define TASK_LOOK_MS                 100  /* between looks for answers to a task's question */
#define BATCH_MAX                    100  /* messages of one batch, each of which takes a turn */
#define STREAM_RETRY_MS              1000 /* after which a client comes back for its answer */
#define ROUNDS_TTL_MS                (INT64_C(15) * 60000) /* for a person to answer a question */
#define ROUNDS_BYTES_MAX             (256 * KIB)           /* answers that travel with the client */
#define ASKING_WAIT_MS               (INT64_C(5) * 60000)  /* the same, while a thread waits */
#define ASKING_LOOK_MS               250 /* how often the store is asked what another replica was told */
#define RESPONSE_TTL_MS              60000
#define HUB_SUBSCRIBERS_MAX          100000      /* idle streams, of half a kilobyte each */
#define SUBSCRIBER_MESSAGE_BYTES_MAX (4 * MIB)   /* a task's whole result may be told */
#define SUBSCRIBERS_ARENA_BYTES      (256 * MIB) /* what all legacy streams watch, for one change */
#define SUBSCRIBER_WATCHED_MAX       1000        /* URIs and tasks of one stream */
#define STREAM_BEAT_MS               15000 /* between comments that keep an idle stream open */

/* -- sql: what a statement may be (defaults of security.*; design, section 7) -------------------
 */
#define SQL_BYTES_MAX          (1 * MIB)
#define SQL_NESTING_MAX        256
#define SQL_IN_LIST_MAX        10000
#define SQL_SELECT_ITEMS_MAX   4096
#define SQL_CTES_MAX           256
#define SQL_LOOKAHEAD_FREE     256   /* tokens, for each word that could begin two things */
#define SQL_LOOKAHEAD_PER_BYTE 4     /* and so many more for a whole statement */
#define SQL_PARTS_MAX          50000 /* nodes of a tree: a name takes 700 bytes of a call's arena */

/* -- sql: types of schemas --------------------------------------------------------------------- */
#define SQL_TYPE_NESTING_MAX 32   /* of array<struct<map<…>>>: the engines stop near 20 */
#define SQL_TYPE_FIELDS_MAX  4096 /* of one struct */

/* -- text: names in configuration -------------------------------------------------------------- */
#define BIND_NAME_BYTES_MAX                                                                        \
    256 /* of a user, role, client, table: they become keys and log fields */

/* -- identity --------------------------------------------------------------------------------- */
#define TOKEN_BYTES_MAX                                                                            \
    8192 /* of a bearer token; a JWT is about 1 KiB, one with many groups 6; a head has 16 */
#define SECRET_BYTES_MIN          43  /* 32 random bytes as base64url; 64 as hexadecimal digits */
#define SECRET_BYTES_MAX          512 /* of one generation */
#define SEAL_BYTES_MAX            (1 * MIB) /* of what is sealed: clients carry it in their requests */
#define SEAL_TTL_MS_MAX           (INT64_C(366) * 86400000)
#define ANSWERS_KNOWN_MAX         10000 /* tokens that an issuer knows; a KB or two each */
#define ANSWERS_UNKNOWN_MAX       10000 /* that it does not know: strangers push out strangers */
#define ANSWER_BYTES_MAX          (64 * KIB)
#define ANSWERS_TTL_MS_MAX        (INT64_C(60) * 60000)
#define ANSWERS_UNKNOWN_MS        5000 /* a token may be known a moment after it is given out */
#define ANSWERS_FAILED_MS         1000 /* an issuer that did not answer is left alone for so long */
#define CALLOUT_PROCESSES_MAX     64
#define CALLOUT_HEADERS_MAX       16
#define CALLOUT_PAUSE_MS          100 /* before a lost process is started anew; doubled each time */
#define CALLOUT_PAUSE_MS_MAX      30000
#define ISSUER_TIMEOUT_MS_MAX     60000
#define ISSUER_SKEW_MS_MAX        (INT64_C(5) * 60000)
#define ISSUER_FORM_BYTES_MAX     (64 * KIB) /* a token, each byte of it as three */
#define JWT_DEPTH_MAX             16   /* of header and claims; Keycloak's roles stand 3 deep */
#define JWT_MEMBERS_MAX           1000 /* of one object or list */
#define JWT_KID_BYTES_MAX         256  /* a thumbprint has 43 */
#define JWT_SCOPES_MAX            256
#define JWT_ROLES_MAX             256
#define JWT_TIME_MAX              INT64_C(253402300799) /* the last second of 9999 */
#define JWT_SECRET_BYTES_MIN      32                    /* as long as the digest (RFC 7518 3.2) */
#define JWT_SECRET_BYTES_MAX      4096
#define JWT_RSA_BITS_MIN          2048 /* RFC 7518 3.3 */
#define JWT_RSA_BITS_MAX          8192 /* a larger one only costs */
#define JWT_RSA_EXPONENT_BITS_MAX 64   /* likewise */
#define JWT_COORDINATE_BYTES_MAX  48   /* of P-384 */
#define JWT_ED_SIGNATURE_BYTES    64   /* of Ed25519 */
#define JWT_PEM_BYTES_MAX         (16 * KIB)
#define JWK_PART_CHARS_MAX        1400 /* RSA's modulus, as base64url */
#define JWKS_BYTES_MAX            (256 * KIB)
#define JWKS_DEPTH_MAX            8
#define JWKS_MEMBERS_MAX          256
#define JWKS_KEYS_MAX             64        /* of one set; issuers publish 2 to 10 */
#define JWKS_ARENA_BYTES          (2 * MIB) /* of one set: text, tree and keys */
#define JWKS_SOURCES_MAX          64        /* URLs in the life of a process */
#define JWKS_TIMEOUT_MS           5000
#define JWKS_PAUSE_MS_MAX         3600000
#define JWKS_RETRY_MS             5000 /* between two fetches while there are no keys at all */
#define JWKS_WAITING_MAX          8    /* callers that wait for one fetch: threads are few */
#define JWKS_TTL_MS_MAX           (INT64_C(24) * 3600000)
#define JWKS_STALE_MS_MAX         (INT64_C(7) * 24 * 3600000)
#define JWT_CACHE_SLOTS           4096 /* of 64 bytes */
#define JWT_ISSUERS_MAX           64
#define JWT_LOG_PAUSE_MS          1000 /* between two lines of one kind */
#define JWT_CLOCK_SKEW_MS_MAX     300000

/* -- identity: sessions of keepers ----------------------------------------------------------------
 */
#define ADMIN_LIFETIME_MS_MAX  (INT64_C(31) * 86400000)
#define ADMIN_CLAIMED_MS       (INT64_C(3600) * 1000) /* by a token whose end we are not told of */
#define ADMIN_ROTATE_MS        (INT64_C(900) * 1000)
#define ADMIN_GRACE_MS         30000 /* for requests under way when a session moves */
#define ADMIN_SEEN_MS          60000 /* between two notes of a session's use */
#define ADMIN_RECORD_BYTES_MAX (16 * KIB)

/* -- admin: the keepers' door ---------------------------------------------------------------------
 */
#define ADMIN_THREADS   8
#define ADMIN_QUEUE_MAX 256
#define ADMIN_TRIES_MAX 10    /* logins, or first runs, that failed, of one address */
#define ADMIN_TRY_MS    60000 /* in such a time */

/* -- identity: keys for the cloud, of one request ------------------------------------------------
 */
#define CLOUD_KEY_BYTES_MAX    128 /* theirs have 16 to 32 */
#define CLOUD_TOKEN_BYTES_MAX  8192
#define CLOUD_REGION_BYTES_MAX 32

/* -- identity: what a gateway signs -------------------------------------------------------------
 */
#define GATEWAY_SECRET_BYTES_MIN    16 /* 128 bits, when each byte is random */
#define GATEWAY_SKEW_MS             (INT64_C(300) * 1000)
#define GATEWAY_NONCE_MS            (INT64_C(660) * 1000) /* twice the skew; clocks differ a bit */
#define GATEWAY_NONCE_BYTES_MIN     16
#define GATEWAY_NONCE_BYTES_MAX     128
#define GATEWAY_TIMESTAMP_BYTES_MAX 12 /* digits; until the year 33658 */

/* -- policy ----------------------------------------------------------------------------------- */
#define POLICY_DEFAULT_LIMIT    100 /* of the seed, as are the next four */
#define POLICY_MAX_LIMIT        200
#define POLICY_JOIN_TABLES      3
#define POLICY_TIMEOUT_S        300
#define POLICY_CONCURRENCY      5
#define POLICY_ROWS_MAX         1000000000 /* of max_limit: no reply could hold more */
#define POLICY_JOIN_TABLES_MAX  4096       /* no statement of 1 MiB joins more in earnest */
#define POLICY_TIMEOUT_S_MAX    86400
#define POLICY_CONCURRENCY_MAX  100000
#define POLICY_SCAN_BYTES_MAX   (INT64_C(1) << 60)
#define POLICY_QUOTA_MAX        1000000000
#define POLICY_SQL_BYTES_MAX    HTTP_BODY_BYTES_MAX /* a longer statement cannot arrive */
#define MASK_SALT_BYTES_MIN     16                  /* 128 bits, when each byte is random */
#define POLICY_SQL_ITEMS_MAX    1000000    /* of lists in a statement, whatever the policy says */
#define POLICY_DIGEST_BYTES_MAX (64 * MIB) /* a byte a table, and the row filters */
#define POLICY_LOOKS_MAX        32         /* rules that a verdict tells of */
#define POLICY_CHARGES_MAX      STORE_WINDOWS_MAX /* limits that one call falls under */
#define POLICY_WINDOW_S_MAX     (31 * 86400)      /* of a rule's rate */
#define BUDGET_SCALE            10000             /* amounts are held in so many parts of one */
#define BUDGET_SCALE_DIGITS     4
#define BUDGET_AMOUNT_MAX       (INT64_C(100000000000) * BUDGET_SCALE) /* a double tells it exactly */
#define BUDGET_WINDOW_S_MIN     60 /* a counter is kept for an hour: at most so many of each */
#define CONDITION_STEPS_MAX     32 /* of a path into arguments; JSON nests so deep */
#define APPROVAL_BYTES_MAX      (256 * KIB) /* of a call laid before a person, who must see it all */
#define APPROVAL_NOTE_BYTES_MAX 1024
#define APPROVAL_RETRY_MS       30000 /* after which a client that waits may call again */
#define CONSENT_TEXT_BYTES_MAX  4096  /* of a call, as its own user is shown it */
#define APPROVALS_LISTED_MAX    1000
#define APPROVALS_LOG_TTL_MS    (INT64_C(8) * 86400000) /* a day more than a request may live */
#define RATE_CALLS_MAX          100000 /* of one rate: its log keeps a time for each admitted call */
#define RATE_KEYS_MAX           65536  /* limits that are being counted; idle ones make room */
#define RATE_TIMES_MAX          4194304   /* over all logs: 32 MiB */
#define SHADOW_TOOLS_MAX        256       /* of which a candidate policy says something else */
#define SHADOW_NAME_BYTES_MAX   128       /* of a tool, there */
#define SHADOW_LOGGED_EACH      3         /* times that a difference is logged */
#define SHADOW_ARENA_BYTES      (1 * MIB) /* of one judging beside the live one */

/* -- backend: catalogues and engines ----------------------------------------------------------- */
#define BACKEND_CATALOGUE_BYTES (256 * MIB) /* of one backend: 100,000 columns take 20 */
#define TABLE_NAME_BYTES_MAX    512 /* project, schema and name; warehouses stop at 128 each */

/* -- backend: DuckDB workers ------------------------------------------------------------------- */
#define WIRE_FRAME_BYTES_MAX      (16 * MIB) /* twice the largest reply: a row beyond it fits none */
#define WIRE_COLUMNS_MAX          16384      /* of an answer: four times SQL_SELECT_ITEMS_MAX */
#define WIRE_ERROR_BYTES_MAX      4096       /* of an engine's text */
#define DUCKDB_FLUSH_BYTES        (64 * KIB) /* rows are sent in pieces of about this */
#define DUCKDB_NESTING_MAX        32         /* of a value's type; JSON is read to JSON_DEPTH_MAX */
#define DUCKDB_KEY_BYTES_MAX      (64 * KIB) /* of a map's key that is no text */
#define DUCKDB_ANSWER_ARENA_BYTES (16 * MIB) /* readers of the columns of one answer */
#define DUCKDB_PREPARED_MAX       64         /* statements a worker keeps */
#define DUCKDB_PREPARED_BYTES_MAX                                                                  \
    (16 * KIB) /* of the text of one that is kept: plans take many times it */
#define DUCKDB_ADDRESS_SPACE_BASE                                                                  \
    (1 * GIB)                      /* beside memory_limit: the library, stacks, its heap           \
                                    */
#define DUCKDB_START_MS     10000  /* a worker that is not ready by then never will be */
#define DUCKDB_LOAD_MS      600000 /* of all files of one backend */
#define DUCKDB_STOP_MS      500    /* between the interrupt and the kill */
#define DUCKDB_METADATA_MS  10000  /* of MAX_PT and of learning a schema */
#define DUCKDB_WATCH_MS     200    /* before it is asked how far a query is, and between two */
#define DUCKDB_WORKERS_MAX  64
#define DUCKDB_NEWEST_BYTES (64 * MIB) /* newest partitions, of as many tables as there are */

/* -- sql: what the resolver holds ----------------------------------------------------------------
 */
#define SQL_SOURCES_MAX 256 /* tables in one FROM; each lookup asks all of them */
#define SQL_VISIBLE_COLUMNS_MAX                                                                    \
    20000 /* of one FROM: 16 tables of 1,200 columns, the engine's most */
#define SQL_PATTERN_STEPS_MAX 100000 /* of matching one back-quoted pattern with all columns */

/* -- audit: what is kept on record ---------------------------------------------------------------
 */
#define AUDIT_LINE_BYTES_MAX  (32 * MIB) /* two statements and the arguments, all of it escaped */
#define AUDIT_GROUP_MAX       512        /* lines of one writev(2); IOV_MAX is 1024 */
#define AUDIT_QUEUE_BYTES_MAX (4 * GIB)
#define AUDIT_KEEP_DAYS_MAX   36500
#define AUDIT_LIST_BYTES_MAX  (64 * MIB) /* names of the log's files: a hundred thousand of them */
#define AUDIT_SIDES_MAX       100        /* chains beside ours that one process number can have */

/* -- sql: what the guard follows -----------------------------------------------------------------
 */
#define SQL_JOIN_TABLES_MAX 65535  /* counted through CTEs; far above any policy's maximum */
#define SQL_JOIN_ENDS_MAX   1024   /* base columns behind one joined column: CTEs can double them */
#define SQL_JOIN_LINKS_MAX  512    /* equations between tables; compared pair by pair */
#define SQL_JOIN_STEPS_MAX  100000 /* queries looked through for joined columns */
#define SQL_PUSH_STEPS_MAX  1000000 /* columns looked through for partition predicates */
#define SQL_COPIES_MAX      64   /* conditions repeated inside one table; the rest stay outside */
#define SQL_SCANS_MAX       1024 /* of base tables, CTEs counted as often as they are read */
#define SQL_CUBE_MAX        12   /* keys of CUBE in one GROUP BY: 4096 grouping sets */

#endif
