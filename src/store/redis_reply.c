#include "store/redis_reply.h"

#include "base/fault.h"
#include "base/limits.h"

#include <hiredis/read.h>

/* Where hiredis wants the object: in its parent, or as the root. The items of a list were made with
 * it, so that nothing can fail here but the root. */
static struct redis_reply *place_of(const redisReadTask *task) {
    struct redis_reading *reading = task->privdata;
    if (task->parent != NULL) {
        struct redis_reply *list = task->parent->obj;
        return &list->items[task->idx];
    }
    struct redis_reply *root = arena_new(reading->arena, struct redis_reply);
    if (root == NULL) reading->why = FAIL_MEMORY;
    return root;
}

static void *make_string(const redisReadTask *task, char *bytes, size_t len) {
    struct redis_reading *reading = task->privdata;
    struct redis_reply *reply = place_of(task);
    if (reply == NULL) return NULL;
    reply->sort = task->type == REDIS_REPLY_ERROR ? REDIS_WRONG : REDIS_TEXT;
    reply->text = str_dup(reading->arena, (struct str){bytes, len});
    if (reply->text.ptr != NULL || len == 0) return reply;
    reading->why = FAIL_MEMORY;
    return NULL;
}

static void *make_list(const redisReadTask *task, int n) {
    struct redis_reading *reading = task->privdata;
    if (n < 0 || n > STORE_REPLY_ITEMS_MAX) {
        reading->why = FAIL_LIMIT;
        return NULL;
    }
    struct redis_reply *reply = place_of(task);
    if (reply == NULL) return NULL;
    reply->sort = REDIS_LIST;
    reply->n = (size_t)n;
    reply->items = arena_new_array(reading->arena, reply->n, struct redis_reply);
    if (reply->items != NULL) return reply;
    reading->why = FAIL_MEMORY;
    return NULL;
}

static void *make_number(const redisReadTask *task, long long number) {
    struct redis_reply *reply = place_of(task);
    if (reply != NULL) *reply = (struct redis_reply){.sort = REDIS_NUMBER, .number = number};
    return reply;
}

static void *make_nothing(const redisReadTask *task) {
    return place_of(task);
}

static void free_nothing(void *reply) {
    (void)reply; /* the arena's */
}

static const redisReplyObjectFunctions makers = {make_string, make_list, make_number, make_nothing,
                                                 free_nothing};

/* It only reads them. */
static redisReader *make_reader(void) {
    return redisReaderCreateWithFunctions((redisReplyObjectFunctions *)(uintptr_t)&makers);
}

void redis_reading_init(struct redis_reading *reading, struct arena *arena) {
    *reading = (struct redis_reading){.arena = arena};
    reading->reader = fault_now() ? NULL : make_reader();
    if (reading->reader != NULL) reading->reader->privdata = reading;
}

void redis_reading_deinit(struct redis_reading *reading) {
    if (reading->reader != NULL) redisReaderFree(reading->reader);
    *reading = (struct redis_reading){0};
}

static result why_of(const struct redis_reading *reading) {
    if (reading->why != FAIL_NONE) return (result){reading->why};
    return (result){reading->reader->err == REDIS_ERR_OOM ? FAIL_MEMORY : FAIL_INPUT};
}

result redis_reading_feed(struct redis_reading *reading, struct str bytes,
                          const struct redis_reply **out) {
    void *reply = NULL;
    *out = NULL;
    reading->n_bytes += bytes.len;
    if (reading->n_bytes > (size_t)STORE_REPLY_BYTES_MAX) return (result){FAIL_LIMIT};
    if (fault_now()) return (result){FAIL_MEMORY};
    if (redisReaderFeed(reading->reader, bytes.ptr, bytes.len) != 0 ||
        redisReaderGetReply(reading->reader, &reply) != 0)
        return why_of(reading);
    if (reply == NULL) return OK;
    reading->n_bytes = 0;
    /* Behind the answer to the one thing that was asked there is nothing to come. */
    if (reading->reader->len > reading->reader->pos) return (result){FAIL_INPUT};
    *out = reply;
    return OK;
}
