/*
 * cli/call.c - weir call: one tool call without a client
 *
 * Arguments are typed by the tool: --arg limit=5 is a number where the tool wants one. The seed's
 * smoke test: weir call list_allowed_tables --arg project=p.
 */
#include "base/limits.h"
#include "cli/command.h"
#include "cli/open.h"
#include "cli/walk.h"
#include "tools/tool.h"

#include <stdio.h>

extern const struct command command_call;

static enum field_type type_of(const struct tool *tool, struct str name) {
    for (const struct field *f = tool == NULL ? NULL : tool->input; f != NULL && f->name != NULL;
         f++)
        if (str_eq(str_of(f->name), name)) return f->type;
    return FIELD_TEXT;
}

static void put_value(struct json_writer *w, enum field_type type, struct str value) {
    int64_t integer;
    bool truth;
    if (type == FIELD_INT && str_to_i64(value, &integer)) {
        json_int(w, integer);
    } else if (type == FIELD_BOOL && parse_bool(value, &truth)) {
        json_bool(w, truth);
    } else if (type == FIELD_TEXT_LIST) {
        json_array(w);
        for (struct str rest = value; rest.ptr != NULL;)
            json_text(w, str_trim(str_cut(&rest, ',')));
        json_array_end(w);
    } else {
        json_text(w, value);
    }
}

static result put_arguments(struct call *call, const struct flag_list *args) {
    const struct tool *tool = tool_find(call->tool_name);
    struct buf text;
    struct json_writer w;
    buf_init(&text, JSON_BYTES_MAX);
    json_writer_init(&w, &text);
    json_object(&w);
    for (size_t i = 0; i < args->n; i++) {
        struct str value = args->items[i], name = str_cut(&value, '=');
        json_key(&w, name);
        put_value(&w, type_of(tool, name), value.ptr != NULL ? value : STR(""));
    }
    json_object_end(&w);
    struct str flat = buf_copy(&text, &call->arena);
    buf_deinit(&text);
    return json_read(flat, NULL, &call->arena, &call->arguments, &call->report);
}

static int call_tool(struct house *house, struct str name, struct str as,
                     const struct flag_list *args) {
    struct report report = {0};
    struct call *call = cli_call_new(house, as, &report);
    if (call == NULL) return tell(&report);
    call->tool_name = name;
    int status = EXIT_WRONG;
    if (put_arguments(call, args).why != FAIL_NONE) {
        status = tell(&call->report);
    } else {
        cli_walk(house, call);
        cli_print(&call->reply);
        status = call_is_ok(call) ? EXIT_DONE : EXIT_WRONG;
    }
    call_free(call);
    return status;
}

static int run(int argc, char **argv) {
    struct config_setup setup = {.dir = STR("./config")};
    struct flag_list args = {.n = 0};
    struct str as = STR_NONE, rest[128];
    size_t n;
    struct flag flags[] = {
        {"config", "DIR", &setup.dir, NULL, NULL, "the configuration directory"},
        {"as", "USER[@CLIENT]", &as, NULL, NULL, "who asks"},
        {"arg", "NAME=VALUE", NULL, NULL, &args, "an argument of the tool"},
        {0},
    };
    if (!flags_read(flags, argc, argv, rest, COUNT(rest), &n)) return EXIT_USAGE;
    if (n != 1) return tell_usage(&command_call, "the name of one tool is expected");
    struct house house = {0};
    if (!cli_open(&house, &setup)) return EXIT_WRONG;
    int status = call_tool(&house, rest[0], as, &args);
    house_close(&house);
    return status;
}

const struct command command_call = {"call", "call one tool without a client",
                                     "TOOL [--arg NAME=VALUE]… [--config DIR] [--as USER[@CLIENT]]",
                                     run};
