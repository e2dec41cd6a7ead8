/* Messages for the stream of one session: only there, whole, in order; nothing when memory fails.
 */
#include "mcp/hub.h"
#include "base/fault.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

struct peer {
    struct subscriber subscriber; /* first */
    unsigned n_woken;
    struct buf told; /* each message, and a line end */
};

static struct peer *peer_of(struct subscriber *subscriber) {
    return (struct peer *)(void *)subscriber;
}

static void wake(struct subscriber *subscriber) {
    peer_of(subscriber)->n_woken++;
}

static void send(struct subscriber *subscriber, struct str json) {
    buf_add(&peer_of(subscriber)->told, json);
    buf_add_byte(&peer_of(subscriber)->told, '\n');
}

static const struct carrier carrier = {wake, send};

/* Two sessions and a modern listener. */
enum { FIRST, SECOND, LISTENER, PEERS };
struct world {
    struct hub hub;
    struct peer peers[PEERS];
    struct arena arena;
};

static void begin(struct world *world) {
    static const struct subscription all[PEERS] = {
        {.wants = CHANGED_ALL, .session_id = STR_INIT("one")},
        {.wants = CHANGED_ALL, .session_id = STR_INIT("two")},
        {.wants = CHANGED_ALL, .id = STR_INIT("7")}};
    *world = (struct world){0};
    arena_init(&world->arena, SIZE_MAX);
    hub_init(&world->hub);
    for (size_t i = 0; i < PEERS; i++) {
        buf_init(&world->peers[i].told, SIZE_MAX);
        assert_true(hub_join(&world->hub, &world->peers[i].subscriber, &all[i], &carrier));
    }
}

static void end(struct world *world) {
    for (size_t i = 0; i < PEERS; i++) {
        hub_leave(&world->hub, &world->peers[i].subscriber);
        buf_deinit(&world->peers[i].told);
    }
    assert_int_equal(hub_count(&world->hub), 0);
    hub_deinit(&world->hub);
    arena_deinit(&world->arena);
}

static void assert_told(struct world *world, size_t who, const char *text) {
    subscriber_tell(&world->hub, &world->peers[who].subscriber);
    struct str told = buf_flat(&world->peers[who].told, &world->arena);
    assert_string_equal(str_cstr(&world->arena, told), text);
}

static void knows_who_has_a_stream(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    assert_true(hub_has(&world.hub, STR("one")));
    assert_true(hub_has(&world.hub, STR("two")));
    assert_false(hub_has(&world.hub, STR("on")));
    assert_false(hub_has(&world.hub, STR_NONE)); /* a listener has no session */
    hub_leave(&world.hub, &world.peers[FIRST].subscriber);
    assert_false(hub_has(&world.hub, STR("one")));
    end(&world);
}

static void posts_to_one_session_in_order(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    hub_post(&world.hub, STR("one"), STR("{\"id\":1}"));
    hub_post(&world.hub, STR("one"), STR("{\"id\":2}"));
    hub_post(&world.hub, STR("nobody"), STR("{\"id\":3}"));
    hub_post(&world.hub, STR_NONE, STR("{\"id\":4}"));
    assert_int_equal(world.peers[FIRST].n_woken, 1); /* who is awake is not woken again */
    assert_told(&world, FIRST, "{\"id\":1}\n{\"id\":2}\n");
    assert_told(&world, SECOND, "");
    assert_told(&world, LISTENER, "");
    hub_post(&world.hub, STR("one"), STR("{}"));
    assert_int_equal(world.peers[FIRST].n_woken, 2);
    end(&world); /* with a message that nobody fetched */
}

static void tells_nothing_without_memory(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    fault_set(0);
    hub_post(&world.hub, STR("one"), STR("{\"id\":1}"));
    fault_off();
    assert_int_equal(world.peers[FIRST].n_woken, 0);
    assert_told(&world, FIRST, "");
    end(&world);
}

static void tells_its_session_is_closed(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    hub_post(&world.hub, STR("one"), STR("{\"id\":1}"));
    hub_close(&world.hub, STR("one"));
    hub_close(&world.hub, STR("nobody"));
    hub_close(&world.hub, STR_NONE);
    assert_int_equal(world.peers[FIRST].n_woken, 1);
    assert_false(subscriber_tell(&world.hub, &world.peers[FIRST].subscriber));
    assert_told(&world, FIRST, "{\"id\":1}\n"); /* what came before is told */
    assert_true(subscriber_tell(&world.hub, &world.peers[SECOND].subscriber));
    assert_true(subscriber_tell(&world.hub, &world.peers[LISTENER].subscriber));
    end(&world);
}

static void count(void *with, struct str session_id) {
    assert_string_equal(session_id.ptr == NULL ? "" : session_id.ptr, "three");
    ++*(unsigned *)with;
}

/* Of a session that is one with its stream, once; of others, never. */
static void says_that_a_session_is_over(void **state) {
    (void)state;
    struct world world;
    struct peer three = {0};
    unsigned n = 0;
    begin(&world);
    world.hub.ended = count;
    world.hub.with = &n;
    struct subscription what = {.session_id = STR("three\0"), .is_session = true};
    what.session_id.len = 6; /* with its end, so that it can be compared */
    assert_true(hub_join(&world.hub, &three.subscriber, &what, &carrier));
    assert_int_equal(hub_count(&world.hub), PEERS + 1);
    assert_int_equal(hub_count_sessions(&world.hub), 3);
    hub_leave(&world.hub, &three.subscriber);
    assert_int_equal(n, 1);
    hub_leave(&world.hub, &three.subscriber);
    assert_int_equal(n, 1);
    assert_int_equal(hub_count_sessions(&world.hub), 2);
    end(&world);
    assert_int_equal(n, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_who_has_a_stream),
        cmocka_unit_test(posts_to_one_session_in_order),
        cmocka_unit_test(tells_nothing_without_memory),
        cmocka_unit_test(tells_its_session_is_closed),
        cmocka_unit_test(says_that_a_session_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
