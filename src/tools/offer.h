/*
 * tools/offer.h - what a toolset offers beside its tools: resources and prompts
 *
 * Both are rows that end with one whose name is NULL, and both are answered by a tool of the house,
 * as if the caller had called it: so they show what that tool shows this caller, are decided,
 * metered and recorded like any call, and there is one place where data can leave. Who may not use
 * the tool sees no row of it.
 *
 * Texts are English and Chinese, for the agents of both.
 *
 * Memory:  rows are const; what is made lives in the call's arena.
 * Errors:  as of tools. Refused rows are told by the doors as unknown ones.
 * Threads: rows are immutable; functions run on the call's thread and do not block, but for
 *          write().
 */
#ifndef WEIR_TOOLS_OFFER_H
#define WEIR_TOOLS_OFFER_H

#include "call/call.h"
#include "text/json.h"

/* The tool that answers, and the argument that is put to it. */
struct source {
    const char *tool;
    const char *argument; /* NULL: none */
};

/* Where the values of an argument come from, for completion: a member of each item of a list in
 * what the tool answers. */
struct values {
    struct source source;
    const char *from;         /* the argument whose value is put to the source; NULL: none */
    bool needs_from;          /* without that value there is nothing to complete */
    const char *list;         /* "/tables" */
    const char *member;       /* "domain" */
    bool is_behind_dot;       /* only what stands behind the first dot: table of project.table */
    const char *const *fixed; /* instead of all that: these, up to NULL */
};

struct argument {
    const char *name, *summary;
    bool is_required;
    const struct values *values; /* NULL: free text */
};

/* -- resources -------------------------------------------------------------------------------- */

struct listed {
    struct str uri, name, title, summary;
};
typedef result listed_see(void *with, const struct listed *item);

struct resource {
    const char *name;
    /* With {names} it is a template: "weir://table/{project}.{table}". One that ends with {?name}
     * takes a query, which stays in the value as it was written: "ID?from=7". */
    const char *uri;
    const char *title, *summary, *mime_type;
    struct source source; /* its answer's `data`, as JSON text, is the content */
    /* Templates: */
    const struct argument *arguments; /* the {names}; ends with a row whose name is NULL */
    bool (*fits)(struct str value);   /* what stands for the {names}, decoded: is it of the form? */
    /* Shows each of its kind that this caller may read, in a fixed order. NULL: none is listed. */
    result (*list)(struct call *call, listed_see *see, void *with);
    /* Instead of a source, for what everybody may read: writes the content, an object with uri,
     * mimeType, and text or blob. May ask the client (call/client.h) and block. */
    result (*write)(struct call *call, struct str uri, struct str value, struct json_writer *w);
};

bool resource_is_template(const struct resource *resource);
/* Is it this row's? Then *value is what stands for its {names}, percent-decoded: UTF-8 without
 * control characters. */
bool resource_matches(const struct resource *resource, struct str uri, struct arena *arena,
                      struct str *value);
/* The template's address with `value`, which is written as RFC 3986 demands. STR_NONE: no memory.
 */
struct str resource_uri(const struct resource *resource, struct str value, struct arena *arena);

/* -- prompts ---------------------------------------------------------------------------------- */

enum language { LANGUAGE_EN = 0, LANGUAGE_ZH, LANGUAGES };

struct prompt {
    const char *name, *title, *summary;
    const struct argument *arguments; /* ends with a row whose name is NULL */
    const char *const *leads_to;      /* tools; who may not use one of them does not see the row */
    /* What is shown in it: the first whose argument is given, or that takes none. */
    const struct source *shows;
    /* Lines. {argument} is what was given, {shown} the names of what is shown; a line that names
     * what is not there is left out. */
    const char *text[LANGUAGES];
    /* Instead of shows and text: writes the array of messages. May ask and block likewise. */
    result (*write)(struct call *call, const struct json *arguments, struct json_writer *w);
};

const struct argument *argument_find(const struct argument *rows, struct str name);
/* The source that answers for these arguments (an object or NULL); NULL: none is needed. */
const struct source *prompt_source(const struct prompt *prompt, const struct json *arguments);
/* The text for the user. `language` of the arguments, else that of what is asked. `data` is what
 * the source answered, or NULL. */
void prompt_print(const struct prompt *prompt, const struct json *arguments,
                  const struct json *data, struct buf *out);

/* The argument that every prompt may have. */
extern const struct values language_values;
#define LANGUAGE_ARGUMENT                                                                          \
    { "language", "en, zh or auto (as the question is asked). 语言。", false, &language_values }

/* -- whose, and may they ---------------------------------------------------------------------- */

/* Walk all rows of all toolsets in their order, as tool_at() does. */
const struct resource *resource_at(size_t i);
const struct prompt *prompt_at(size_t i);

bool source_may_use(struct call *call, const struct source *source);
bool resource_may_see(struct call *call, const struct resource *resource);
bool prompt_may_see(struct call *call, const struct prompt *prompt);
/* NULL: there is none of that name for this caller. */
const struct prompt *prompt_find(struct call *call, struct str name);

#endif
