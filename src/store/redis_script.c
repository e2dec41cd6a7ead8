#include "store/redis_script.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/rand.h"

#include <openssl/evp.h>

/*
 * Behind the prefix (its hash tag keeps all in one slot of a cluster):
 *
 *   sums      hash   tide, bytes: as in sqlite_db.c
 *   ends      zset   what ends when: the key below, of all that does not last for ever
 *   e:KEY     hash   v version, x end, b bytes
 *   l:LOG     hash   f first, n last, h the sequence of the list's head, x end, z bytes of events
 *   v:LOG     list   the events; those before `first` are trimmed in steps
 *   c:KEY     hash   s sum, x end
 *   w:MS:KEY  list   a window's times, in order
 *   p:KEY     zset   a place's members by their ends
 *
 * The tide begins at the time, in microseconds, so that a Redis that lost its data gives out no
 * version again. Nothing has a time of life in Redis' own sense: what is valid would be evicted by
 * it (volatile-lru), and what ended would go without being counted. `ends` is swept instead, a
 * little by each step that changes something and more by each tick.
 */
#define CONSTANTS                                                                                  \
    "local ENTRY, HIT, SWEEP, FULL, RANGE = %d, %d, %d, {'" REDIS_FULL "'}, {'" REDIS_RANGE        \
    "'}\n%s%s"

/* clang-format off: a line of Lua is a line here */

static const char prelude[] =
    "local call, sums, P = redis.call, KEYS[1], string.sub(KEYS[1], 1, -5)\n"
    "local ends, now, most = P..'ends', tonumber(ARGV[1]), tonumber(ARGV[2])\n"
    "local FOREVER, ANY = '9223372036854775807', '18446744073709551615'\n"
    "if not now then\n"
    "  local t = call('TIME')\n"
    "  now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "end\n"
    "local function text(n) return string.format('%.0f', n) end\n"
    "local function is_live(x) return x and tonumber(x) > now end\n"
    "local function end_of(ttl)\n"
    "  if ttl == FOREVER then return FOREVER end\n"
    "  return text(now + tonumber(ttl))\n"
    "end\n"
    "local function mark(name, x)\n"
    "  if x == FOREVER then call('ZREM', ends, name) else call('ZADD', ends, x, name) end\n"
    "end\n"
    "local function count(n) if n ~= 0 then call('HINCRBY', sums, 'bytes', text(n)) end end\n"
    "local function bytes() return call('HGET', sums, 'bytes') or '0' end\n"
    "local function fits(n) return n <= 0 or tonumber(bytes()) + n <= most end\n"
    "local function next_version()\n"
    "  local n = call('HINCRBY', sums, 'tide', 1)\n"
    "  if n == 1 then\n"
    "    n = now * 1000\n"
    "    call('HSET', sums, 'tide', text(n))\n"
    "  end\n"
    "  return text(n)\n"
    "end\n"
    "local function version_of(key)\n"
    "  local e = call('HMGET', P..'e:'..key, 'v', 'x')\n"
    "  return is_live(e[2]) and e[1] or '0', e[1]\n"
    "end\n"
    "local function is_meant(version, expected)\n"
    "  return version ~= '0' and (expected == ANY or expected == version)\n"
    "end\n"
    /* Each takes the name without its sort, and may be given one that is not there. */
    "local drop = {}\n"
    "function drop.e(key)\n"
    "  count(-(call('HSTRLEN', P..'e:'..key, 'b') + #key + ENTRY))\n"
    "  call('UNLINK', P..'e:'..key)\n"
    "  call('ZREM', ends, 'e:'..key)\n"
    "end\n"
    "function drop.l(log)\n"
    "  local z = call('HGET', P..'l:'..log, 'z')\n"
    "  if z then count(-(tonumber(z) + #log + ENTRY)) end\n"
    "  call('UNLINK', P..'l:'..log, P..'v:'..log)\n"
    "  call('ZREM', ends, 'l:'..log)\n"
    "end\n"
    "function drop.c(key)\n"
    "  count(-(#key + ENTRY))\n"
    "  call('UNLINK', P..'c:'..key)\n"
    "  call('ZREM', ends, 'c:'..key)\n"
    "end\n"
    "function drop.w(name)\n"
    "  local n = call('LLEN', P..'w:'..name)\n"
    "  if n > 0 then count(-(n * HIT + #name + ENTRY)) end\n"
    "  call('UNLINK', P..'w:'..name)\n"
    "  call('ZREM', ends, 'w:'..name)\n"
    "end\n"
    "local function leave(key, member)\n"
    "  count(-(#key + #member + ENTRY))\n"
    "  call('ZREM', P..'p:'..key, member)\n"
    "end\n"
    "local function mark_places(key)\n"
    "  local first = call('ZRANGE', P..'p:'..key, 0, 0, 'WITHSCORES')\n"
    "  if first[2] and tonumber(first[2]) < 9e18 then mark('p:'..key, first[2])\n"
    "  else mark('p:'..key, FOREVER) end\n"
    "end\n"
    /* Those who are in stay in. */
    "function drop.p(key)\n"
    "  for _, member in ipairs(call('ZRANGEBYSCORE', P..'p:'..key, '-inf', text(now))) do\n"
    "    leave(key, member)\n"
    "  end\n"
    "  mark_places(key)\n"
    "end\n"
    "local function sweep(n)\n"
    "  local due = call('ZRANGEBYSCORE', ends, '-inf', text(now), 'LIMIT', 0, n)\n"
    "  for _, name in ipairs(due) do drop[string.sub(name, 1, 1)](string.sub(name, 3)) end\n"
    "  return #due\n"
    "end\n"
    /* What has expired but was not swept yet makes room first; a step that changed something
     * removes more than it made. */
    "local function attempt(run)\n"
    "  local got = run()\n"
    "  for _ = 1, 8 do\n"
    "    if got ~= FULL or sweep(SWEEP) == 0 then break end\n"
    "    got = run()\n"
    "  end\n"
    "  sweep(4)\n"
    "  return got\n"
    "end\n";

/* Every command that a script runs, on keys that are gone at the end: a user who may not run one
 * shall hear so at the start, not in the middle of a step. Written by whoever asks, so that a
 * server that takes no writes does not look well. */
static const char probe[] =
    "local k = P..'probe'\n"
    "call('HINCRBY', sums, 'bytes', 0)\n"
    "call('HSET', k, 'x', '1')\n"
    "call('HGET', k, 'x') call('HMGET', k, 'x') call('HSTRLEN', k, 'x') call('UNLINK', k)\n"
    "call('RPUSH', k, '1')\n"
    "call('LLEN', k) call('LINDEX', k, 0) call('LRANGE', k, 0, 0) call('LTRIM', k, 1, 0)\n"
    "call('ZADD', k, 1, 'm')\n"
    "call('ZSCORE', k, 'm') call('ZCARD', k) call('ZRANGE', k, 0, 0, 'WITHSCORES')\n"
    "call('ZRANGEBYSCORE', k, '-inf', '1', 'LIMIT', 0, 1) call('ZREM', k, 'm')\n"
    "call('UNLINK', k)\n"
    "call('TIME')\n"
    "return {bytes()}\n";

static const char tide[] = "return {call('HGET', sums, 'tide') or '0'}\n";

static const char usage[] = "return {bytes()}\n";

static const char do_sweep[] = "sweep(SWEEP)\n"
                               "call('HINCRBY', sums, 'bytes', 0)\n"
                               "return {bytes()}\n";

static const char get[] = "local e = call('HMGET', P..'e:'..ARGV[3], 'v', 'x', 'b')\n"
                          "if not is_live(e[2]) then return {'0', '0', text(now), ''} end\n"
                          "return {e[1], e[2], text(now), e[3]}\n";

static const char set[] = "local key, value, expected, ttl = ARGV[3], ARGV[4], ARGV[5], ARGV[6]\n"
                          "local at = P..'e:'..key\n"
                          "return attempt(function()\n"
                          "  local version, is_there = version_of(key)\n"
                          "  if expected ~= ANY and expected ~= version then return {'0'} end\n"
                          "  local grown = #value + #key + ENTRY\n"
                          "  if is_there then grown = #value - call('HSTRLEN', at, 'b') end\n"
                          "  if not fits(grown) then return FULL end\n"
                          "  local mine, x = next_version(), end_of(ttl)\n"
                          "  call('HSET', at, 'v', mine, 'x', x, 'b', value)\n"
                          "  mark('e:'..key, x)\n"
                          "  count(grown)\n"
                          "  return {mine}\n"
                          "end)\n";

static const char do_remove[] = "local key, expected = ARGV[3], ARGV[4]\n"
                                "if not is_meant(version_of(key), expected) then return {'0'} end\n"
                                "drop.e(key)\n"
                                "next_version()\n"
                                "return {'1'}\n";

static const char touch[] = "local key, expected, ttl = ARGV[3], ARGV[4], ARGV[5]\n"
                            "if not is_meant(version_of(key), expected) then return {'0'} end\n"
                            "local x = end_of(ttl)\n"
                            "call('HSET', P..'e:'..key, 'x', x)\n"
                            "mark('e:'..key, x)\n"
                            "return {'1'}\n";

/* `z` counts what each event costs, too. */
static const char append[] =
    "local log, value, ttl, keep = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])\n"
    "local guard, guard_version = ARGV[7], ARGV[8]\n"
    "local at, list = P..'l:'..log, P..'v:'..log\n"
    "return attempt(function()\n"
    "  if guard ~= '' and version_of(guard) ~= guard_version then return {'0'} end\n"
    "  local l = call('HMGET', at, 'f', 'n', 'h', 'z', 'x')\n"
    "  if l[1] and not is_live(l[5]) then drop.l(log) l = {} end\n"
    "  local first, last = tonumber(l[1] or 1), tonumber(l[2] or 0)\n"
    "  local head, z = tonumber(l[3] or 1), tonumber(l[4] or 0)\n"
    "  local grown = #value + ENTRY\n"
    "  if not l[1] then grown = grown + #log + ENTRY end\n"
    "  if not fits(grown) then return FULL end\n"
    "  call('RPUSH', list, value)\n"
    "  count(grown)\n"
    "  last, z = last + 1, z + #value + ENTRY\n"
    "  if keep > 0 and last >= keep then first = math.max(first, last - keep + 1) end\n"
    "  local n = math.min(first - head, SWEEP)\n"
    "  if n > 0 then\n"
    "    local gone = 0\n"
    "    for _, v in ipairs(call('LRANGE', list, 0, n - 1)) do gone = gone + #v + ENTRY end\n"
    "    call('LTRIM', list, n, -1)\n"
    "    count(-gone)\n"
    "    head, z = head + n, z - gone\n"
    "  end\n"
    "  local x = end_of(ttl)\n"
    "  call('HSET', at, 'f', text(first), 'n', text(last), 'h', text(head), 'z', text(z), 'x', x)\n"
    "  mark('l:'..log, x)\n"
    "  next_version()\n"
    "  return {text(last)}\n"
    "end)\n";

static const char do_read[] =
    "local log, after = ARGV[3], tonumber(ARGV[4])\n"
    "local max, room = tonumber(ARGV[5]), tonumber(ARGV[6])\n"
    "local l = call('HMGET', P..'l:'..log, 'f', 'n', 'h', 'x')\n"
    "if not is_live(l[4]) then return {'0', '0', '0'} end\n"
    "local from, last = math.max(after + 1, tonumber(l[1])), tonumber(l[2])\n"
    "local out, size = {l[1], l[2], text(math.min(from, last))}, 0\n"
    "for at = from, math.min(last, from + max - 1) do\n"
    "  local v = call('LINDEX', P..'v:'..log, text(at - tonumber(l[3])))\n"
    "  size = size + #v\n"
    "  if at > from and size > room then break end\n"
    "  out[#out + 1] = v\n"
    "end\n"
    "return out\n";

static const char do_drop[] = "local log = ARGV[3]\n"
                              "local is_there = is_live(call('HGET', P..'l:'..log, 'x'))\n"
                              "if not is_there then return {'0'} end\n"
                              "drop.l(log)\n"
                              "next_version()\n"
                              "return {'1'}\n";

/* Only HINCRBY and HGET see the sum: Lua would round it. */
static const char add[] = "local key, delta, ttl = ARGV[3], ARGV[4], ARGV[5]\n"
                          "local at = P..'c:'..key\n"
                          "return attempt(function()\n"
                          "  local c = call('HMGET', at, 's', 'x')\n"
                          "  local live = is_live(c[2])\n"
                          "  if delta == '0' then return {live and c[1] or '0'} end\n"
                          "  if c[1] and not live then drop.c(key) end\n"
                          "  if not live then\n"
                          "    if not fits(#key + ENTRY) then return FULL end\n"
                          "    local x = end_of(ttl)\n"
                          "    call('HSET', at, 's', '0', 'x', x)\n"
                          "    mark('c:'..key, x)\n"
                          "    count(#key + ENTRY)\n"
                          "  end\n"
                          "  local sum = redis.pcall('HINCRBY', at, 's', delta)\n"
                          "  if type(sum) == 'table' then return RANGE end\n"
                          "  return {call('HGET', at, 's')}\n"
                          "end)\n";

/* A clock that was set back counts as standing still, so that the times stay in order. */
static const char admit[] =
    "local function forget(name, old)\n"
    "  local at = P..'w:'..name\n"
    "  local last = call('LINDEX', at, -1)\n"
    "  if not last then return end\n"
    "  if tonumber(last) <= old then drop.w(name) return end\n"
    "  local n, more = 0, true\n"
    "  while more do\n"
    "    for _, t in ipairs(call('LRANGE', at, text(n), text(n + 99))) do\n"
    "      more = tonumber(t) <= old\n"
    "      if not more then break end\n"
    "      n = n + 1\n"
    "    end\n"
    "  end\n"
    "  if n > 0 then call('LTRIM', at, text(n), -1) count(-n * HIT) end\n"
    "end\n"
    "return attempt(function()\n"
    "  local tight, wait, left, grown = 0, 0, math.huge, 0\n"
    "  for i = 3, #ARGV, 3 do\n"
    "    local name = ARGV[i + 2]..':'..ARGV[i]\n"
    "    local max, span = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])\n"
    "    local at = P..'w:'..name\n"
    "    forget(name, now - span)\n"
    "    local n = call('LLEN', at)\n"
    "    grown = grown + HIT\n"
    "    if n == 0 then grown = grown + #name + ENTRY end\n"
    "    if n >= max then\n"
    "      local w = math.huge\n"
    "      if max > 0 then w = tonumber(call('LINDEX', at, text(n - max))) + span - now end\n"
    "      if w > wait then tight, wait = (i - 3) / 3, w end\n"
    "    elseif wait == 0 and max - n - 1 < left then tight, left = (i - 3) / 3, max - n - 1 end\n"
    "  end\n"
    "  if wait == math.huge then return {'0', text(tight), FOREVER} end\n"
    "  if wait > 0 then return {'0', text(tight), text(wait)} end\n"
    "  if not fits(grown) then return FULL end\n"
    "  for i = 3, #ARGV, 3 do\n"
    "    local name = ARGV[i + 2]..':'..ARGV[i]\n"
    "    local t = math.max(now, tonumber(call('LINDEX', P..'w:'..name, -1) or 0))\n"
    "    call('RPUSH', P..'w:'..name, text(t))\n"
    "    mark('w:'..name, text(t + tonumber(ARGV[i + 2])))\n"
    "  end\n"
    "  count(grown)\n"
    "  return {'1', text(tight), text(left)}\n"
    "end)\n";

static const char enter[] =
    "local key, member, ttl, max = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])\n"
    "local at = P..'p:'..key\n"
    "return attempt(function()\n"
    "  drop.p(key)\n"
    "  if not call('ZSCORE', at, member) then\n"
    "    local grown = #key + #member + ENTRY\n"
    "    if call('ZCARD', at) >= max then return {'0'} end\n"
    "    if not fits(grown) then return FULL end\n"
    "    count(grown)\n"
    "  end\n"
    "  call('ZADD', at, end_of(ttl), member)\n"
    "  mark_places(key)\n"
    "  return {'1'}\n"
    "end)\n";

static const char stay[] =
    "local key, member, ttl = ARGV[3], ARGV[4], ARGV[5]\n"
    "if not is_live(call('ZSCORE', P..'p:'..key, member)) then return {'0'} end\n"
    "call('ZADD', P..'p:'..key, end_of(ttl), member)\n"
    "mark_places(key)\n"
    "return {'1'}\n";

static const char do_leave[] = "local key, member = ARGV[3], ARGV[4]\n"
                               "local x = call('ZSCORE', P..'p:'..key, member)\n"
                               "if x then leave(key, member) mark_places(key) end\n"
                               "return {is_live(x) and '1' or '0'}\n";

/* clang-format on */

/* To touch, to enter and to stay twice is to have done so once, a little later. */
static const struct {
    const char *body;
    bool is_repeatable;
} scripts[REDIS_SCRIPT_COUNT] = {
    [REDIS_PROBE] = {probe, true},       [REDIS_TIDE] = {tide, true},
    [REDIS_USAGE] = {usage, true},       [REDIS_SWEEP] = {do_sweep, true},
    [REDIS_GET] = {get, true},           [REDIS_SET] = {set, false},
    [REDIS_REMOVE] = {do_remove, false}, [REDIS_TOUCH] = {touch, true},
    [REDIS_APPEND] = {append, false},    [REDIS_READ] = {do_read, true},
    [REDIS_DROP] = {do_drop, false},     [REDIS_ADD] = {add, false},
    [REDIS_ADMIT] = {admit, false},      [REDIS_ENTER] = {enter, true},
    [REDIS_STAY] = {stay, true},         [REDIS_LEAVE] = {do_leave, false},
};

bool redis_script_is_repeatable(enum redis_script script) {
    return scripts[script].is_repeatable;
}

result redis_script_make(struct arena *arena, struct redis_text out[REDIS_SCRIPT_COUNT]) {
    for (size_t i = 0; i < REDIS_SCRIPT_COUNT; i++) {
        uint8_t digest[EVP_MAX_MD_SIZE];
        struct str text = str_printf(arena, CONSTANTS, STORE_ENTRY_BYTES, STORE_HIT_BYTES,
                                     STORE_SWEEP_MAX, prelude, scripts[i].body);
        /* SHA-1 is the name that Redis gives a script, and guards nothing. */
        bool is_named = !fault_now() && text.ptr != NULL &&
                        EVP_Digest(text.ptr, text.len, digest, NULL, EVP_sha1(), NULL) == 1;
        if (!is_named) return (result){FAIL_MEMORY};
        out[i].text = text;
        hex_encode(out[i].sha, digest, (REDIS_SHA_SIZE - 1) / 2);
    }
    return OK;
}
