/*
 * house/toolsets.h - names of toolsets and tools, checked when the configuration is read
 *
 * Memory:  problems keep copies.
 * Errors:  a name that no toolset has, and one tool name twice on one listener, are errors: who
 *          calls a tool by its name must know which it is.
 */
#ifndef WEIR_HOUSE_TOOLSETS_H
#define WEIR_HOUSE_TOOLSETS_H

#include "base/option.h"
#include "policy/policy.h"
#include "text/bind.h"
#include "tools/tool.h"

/* `all` ends with NULL: toolsets of tools/tool.h. `node` may be NULL. */
void toolsets_check(const struct binder *binder, const struct yaml *node,
                    const struct option_list *names, const struct toolset *const *all);

/* Warns of names in rules.yaml that no tool has. */
void toolsets_check_rules(const struct binder *binder, const struct policy *policy,
                          const struct toolset *const *all);

#endif
