/*
 * mcp/resource_methods.c - resources/list, resources/templates/list, resources/read
 */
#include "base/limits.h"
#include "mcp/answer.h"
#include "mcp/methods.h"
#include "mcp/page.h"
#include "mcp/reading.h"

/* -- lists ------------------------------------------------------------------------------------ */

static void put_texts(struct json_writer *w, const struct listed *item,
                      const struct resource *resource) {
    json_put_text(w, STR("name"), item->name);
    json_put_text(w, STR("title"), item->title);
    json_put_text(w, STR("description"), item->summary);
    json_put_text(w, STR("mimeType"), str_of(resource->mime_type));
}

struct listing {
    struct page page;
    struct turn *turn;
    const struct resource *resource; /* whose items come */
};

static result list_one(void *with, const struct listed *item) {
    struct listing *listing = with;
    struct json_writer *w = &listing->turn->writer;
    if (!page_takes(&listing->page, item->uri)) return OK;
    json_object(w);
    json_put_text(w, STR("uri"), item->uri);
    put_texts(w, item, listing->resource);
    json_object_end(w);
    return OK;
}

static struct listed listed_of(const struct resource *r) {
    return (struct listed){str_of(r->uri), str_of(r->name), str_of(r->title), str_of(r->summary)};
}

static result list_row(struct listing *listing, const struct resource *resource) {
    struct call *call = listing->turn->call;
    listing->resource = resource;
    if (!resource_may_see(call, resource)) return OK;
    struct listed item = listed_of(resource);
    if (!resource_is_template(resource)) return list_one(listing, &item);
    return resource->list != NULL ? resource->list(call, list_one, listing) : OK;
}

void method_resources_list(struct turn *turn) {
    struct listing listing = {.turn = turn};
    const struct resource *resource;
    if (!page_begin(&listing.page, turn)) return;
    struct json_writer *w = answer_begin_kept(turn, KEPT_RESOURCES);
    json_key(w, STR("resources"));
    json_array(w);
    for (size_t i = 0; (resource = resource_at(i)) != NULL; i++) {
        if (list_row(&listing, resource).why == FAIL_NONE) continue;
        answer_refuse(turn, RPC_INTERNAL_ERROR, str_of(turn->call->report.sentence), STR_NONE);
        return;
    }
    json_array_end(w);
    page_end(&listing.page, turn);
}

void method_resource_templates_list(struct turn *turn) {
    struct page page;
    const struct resource *resource;
    if (!page_begin(&page, turn)) return;
    struct json_writer *w = answer_begin_kept(turn, KEPT_RESOURCES);
    json_key(w, STR("resourceTemplates"));
    json_array(w);
    for (size_t i = 0; (resource = resource_at(i)) != NULL; i++) {
        struct listed item = listed_of(resource);
        if (!resource_is_template(resource) || !resource_may_see(turn->call, resource) ||
            !page_takes(&page, item.uri))
            continue;
        json_object(w);
        json_put_text(w, STR("uriTemplate"), item.uri);
        put_texts(w, &item, resource);
        json_object_end(w);
    }
    json_array_end(w);
    page_end(&page, turn);
}

/* -- resources/read --------------------------------------------------------------------------- */

static struct str uri_of(const struct turn *turn) {
    return json_get_text(turn->message.params, STR("uri"));
}

/* One sentence for what is not there and what the caller may not see. */
static void refuse_unknown(struct turn *turn) {
    struct buf data;
    struct json_writer w;
    buf_init(&data, 8 * RESOURCE_URI_BYTES_MAX);
    json_writer_init(&w, &data);
    json_object(&w);
    json_put_text(&w, STR("uri"), utf8_clip(uri_of(turn), RESOURCE_URI_BYTES_MAX));
    json_object_end(&w);
    struct str text = buf_flat(&data, &turn->call->arena);
    answer_refuse(turn, turn->era == ERA_MODERN ? RPC_INVALID_PARAMS : RPC_RESOURCE_NOT_FOUND,
                  STR("the resource is not there"), text);
    buf_deinit(&data);
}

static const struct resource *find(struct turn *turn, struct str *value) {
    const struct resource *resource;
    for (size_t i = 0; (resource = resource_at(i)) != NULL; i++)
        if (resource_may_see(turn->call, resource) &&
            resource_matches(resource, uri_of(turn), &turn->call->arena, value))
            return resource;
    return NULL;
}

static struct json_writer *begin_contents(struct turn *turn) {
    struct json_writer *w = answer_begin_kept(turn, KEPT_READING);
    json_key(w, STR("contents"));
    json_array(w);
    return w;
}

static void end_contents(struct turn *turn) {
    json_array_end(&turn->writer);
    answer_end(turn);
}

static void read_done(struct call *call) {
    struct turn *turn = call->owner;
    struct str value;
    const struct resource *resource = find(turn, &value);
    const struct json *data = call_is_ok(call) ? reading_data(call) : NULL;
    if (resource == NULL || reading_is_hidden(call)) {
        refuse_unknown(turn);
        return;
    }
    if (data == NULL) {
        reading_refuse(turn);
        return;
    }
    struct json_writer *w = begin_contents(turn);
    json_object(w);
    json_put_text(w, STR("uri"), uri_of(turn));
    json_put_text(w, STR("mimeType"), str_of(resource->mime_type));
    json_put_text(w, STR("text"), json_raw(data));
    json_object_end(w);
    end_contents(turn);
}

static void read_written(struct turn *turn) {
    struct str value;
    struct buf content;
    struct json_writer w;
    const struct resource *resource = find(turn, &value);
    if (resource == NULL) {
        refuse_unknown(turn);
        return;
    }
    buf_init(&content, turn->call->reply.max);
    json_writer_init(&w, &content);
    result r = resource->write(turn->call, uri_of(turn), value, &w);
    if (reading_is_written(turn, r, &content)) {
        begin_contents(turn);
        json_raw_buf(&turn->writer, &content);
        end_contents(turn);
    }
    buf_deinit(&content);
}

void method_resources_read(struct turn *turn) {
    struct str value;
    if (uri_of(turn).ptr == NULL) {
        answer_refuse_params(turn, "resources/read needs the resource's 'uri'");
        return;
    }
    const struct resource *resource = find(turn, &value);
    if (resource == NULL)
        refuse_unknown(turn);
    else if (resource->write != NULL)
        reading_write(turn, read_written);
    else
        reading_walk(turn, &resource->source, value, READING_GIVEN, read_done);
}
