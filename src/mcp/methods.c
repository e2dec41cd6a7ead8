#include "mcp/methods.h"

static const struct method methods[] = {
    {"initialize", true, false, method_initialize},
    {"ping", true, false, method_ping},
    {"logging/setLevel", true, false, method_set_level},
    {"server/discover", false, true, method_discover},
    {"subscriptions/listen", false, true, method_listen},
    {"resources/subscribe", true, false, method_subscribe},
    {"resources/unsubscribe", true, false, method_unsubscribe},
    {"tools/list", true, true, method_tools_list},
    {"tools/call", true, true, method_tools_call},
    {"tasks/get", false, true, method_task_get},
    {"tasks/update", false, true, method_task_update},
    {"tasks/cancel", false, true, method_task_cancel},
    {"resources/list", true, true, method_resources_list},
    {"resources/templates/list", true, true, method_resource_templates_list},
    {"resources/read", true, true, method_resources_read},
    {"prompts/list", true, true, method_prompts_list},
    {"prompts/get", true, true, method_prompts_get},
    {"completion/complete", true, true, method_complete},
};

const struct method *method_find(struct str name, enum era era) {
    for (size_t i = 0; i < COUNT(methods); i++) {
        const struct method *m = &methods[i];
        if (str_eq(str_of(m->name), name) && (era == ERA_MODERN ? m->is_modern : m->is_legacy))
            return m;
    }
    return NULL;
}
