#include "shape/settings.h"

#include "base/limits.h"

#define AT(member) offsetof(struct size_settings, member)
const struct option size_options[] = {
    {.name = "enabled",
     .type = OPTION_BOOL,
     .offset = AT(is_enabled),
     .fallback = "true",
     .reloadable = true,
     .sentence = "Keeps replies within what a model's context can take."},
    {.name = "token_limit",
     .type = OPTION_INT,
     .offset = AT(token_limit),
     .fallback = "25000",
     .min = 0,
     .max = INT64_C(1) << 40,
     .reloadable = true,
     .sentence = "A whole reply takes at most so many estimated tokens: rows and lists are cut to "
                 "fit, anything else is refused with advice; 0 sets no limit."},
    {.name = "warn_threshold_pct",
     .type = OPTION_INT,
     .offset = AT(warn_threshold_pct),
     .fallback = "80",
     .min = 1,
     .max = 100,
     .reloadable = true,
     .sentence = "From so many hundredths of a limit on, log and metadata say so."},
    {.name = "excluded_tools",
     .type = OPTION_LIST,
     .offset = AT(excluded_tools),
     .reloadable = true,
     .sentence = "Tools whose replies are not measured; when absent: `health_check`, "
                 "`get_chart_preview`, `generate_explore_link`, `open_sql_lab_with_context`."},
    {.name = "max_bytes",
     .type = OPTION_BYTES,
     .offset = AT(max_bytes),
     .fallback = "0",
     .min = 0,
     .max = 256 * MIB,
     .reloadable = true,
     .sentence = "The same limit in bytes, which newer Supersets use; 0 sets none."},
    {.name = "max_list_items",
     .type = OPTION_INT,
     .offset = AT(max_list_items),
     .fallback = "0",
     .min = 0,
     .max = 1000000,
     .reloadable = true,
     .sentence = "At most so many items are kept of a list that has to be cut; 0 keeps as many as "
                 "fit."},
    {0},
};
#undef AT

#define AT(member) offsetof(struct cache_settings, member)
#define TTL(option, member, seconds, text)                                                         \
    {                                                                                              \
        .name = option, .type = OPTION_DURATION, .offset = AT(member), .fallback = seconds,        \
        .min = 0, .max = CACHE_TTL_MS_MAX, .unit = "s", .reloadable = true, .sentence = text       \
    }
const struct option cache_options[] = {
    {.name = "enabled",
     .type = OPTION_BOOL,
     .offset = AT(is_enabled),
     .fallback = "false",
     .reloadable = true,
     .sentence = "Answers again what was answered to somebody with exactly the same rights."},
    {.name = "CACHE_KEY_PREFIX",
     .type = OPTION_TEXT,
     .offset = AT(key_prefix),
     .fallback = "",
     .reloadable = true,
     .sentence = "Begins every key, for stores that others use too."},
    TTL("list_tools_ttl", list_tools_ttl_ms, "300", "How long a list of tools stays fresh."),
    TTL("list_resources_ttl", list_resources_ttl_ms, "300",
        "How long a list of resources stays fresh."),
    TTL("list_prompts_ttl", list_prompts_ttl_ms, "300", "How long a list of prompts stays fresh."),
    TTL("read_resource_ttl", read_resource_ttl_ms, "3600", "How long a resource stays fresh."),
    TTL("get_prompt_ttl", get_prompt_ttl_ms, "3600", "How long a prompt stays fresh."),
    TTL("call_tool_ttl", call_tool_ttl_ms, "3600",
        "How long a tool's answer is given again; 0: never."),
    {.name = "max_item_size",
     .type = OPTION_BYTES,
     .offset = AT(max_item_bytes),
     .fallback = "1048576",
     .min = 0,
     .max = 256 * MIB,
     .reloadable = true,
     .sentence = "A larger answer is not kept."},
    {.name = "excluded_tools",
     .type = OPTION_LIST,
     .offset = AT(excluded_tools),
     .reloadable = true,
     .sentence = "Tools whose answers are not kept, beside those that write; when absent: "
                 "`execute_sql`, `generate_dashboard`, `generate_chart`, `update_chart`."},
    {.name = "max_total_size",
     .type = OPTION_BYTES,
     .offset = AT(max_bytes),
     .fallback = "64MiB",
     .min = 0,
     .max = 64 * GIB,
     .reloadable = true,
     .sentence = "All that is kept takes at most so much; what was longest not asked for goes."},
    {0},
};
#undef AT

static const char *const forms[] = {"visible", "exact", NULL};

const struct option replies_options[] = {
    {.name = "hidden_characters",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct call_settings, hidden_characters),
     .fallback = "visible",
     .choices = forms,
     .reloadable = true,
     .sentence = "How values say characters that nobody sees (controls, overrides of direction, "
                 "zero-width, tags): as the visible text `\\uXXXX`, or exactly, where clients "
                 "need the very value."},
    {.name = "keep_ttl",
     .type = OPTION_DURATION,
     .offset = offsetof(struct call_settings, keep_ttl_ms),
     .fallback = "10m",
     .min = 0,
     .max = KEEP_TTL_MS_MAX,
     .unit = "s",
     .reloadable = true,
     .sentence = "How long the rows that did not fit a reply can be read on by who asked for them "
                 "(`weir://result/…`); 0: not at all."},
    {.name = "keep_max_size",
     .type = OPTION_BYTES,
     .offset = offsetof(struct call_settings, keep_max_bytes),
     .fallback = "4MiB",
     .min = 0,
     .max = KEEP_BYTES_MAX,
     .reloadable = true,
     .sentence = "Of one result at most so much is kept; the rows behind it are not."},
    {0},
};

/* -- who is left out --------------------------------------------------------------------------- */

static bool is_listed(const struct option_list *list, const struct str *usual, size_t n_usual,
                      struct str tool) {
    const struct str *items = list->is_set ? list->items : usual;
    size_t n = list->is_set ? list->n : n_usual;
    for (size_t i = 0; i < n; i++)
        if (str_eq(items[i], tool)) return true;
    return false;
}

bool size_excludes(const struct size_settings *settings, struct str tool) {
    static const struct str usual[] = {STR_INIT("health_check"), STR_INIT("get_chart_preview"),
                                       STR_INIT("generate_explore_link"),
                                       STR_INIT("open_sql_lab_with_context")};
    return is_listed(&settings->excluded_tools, usual, COUNT(usual), tool);
}

bool cache_excludes(const struct cache_settings *settings, struct str tool) {
    static const struct str usual[] = {STR_INIT("execute_sql"), STR_INIT("generate_dashboard"),
                                       STR_INIT("generate_chart"), STR_INIT("update_chart")};
    return is_listed(&settings->excluded_tools, usual, COUNT(usual), tool);
}
