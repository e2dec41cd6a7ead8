/*
 * identity/feishu.h - user access tokens of Feishu, by asking it whose they are
 *
 * `GET feishu.userinfo_url` with the token as bearer answers {"code":0,"data":{"open_id":…}}; the
 * user of enterprise.yaml with that feishu_open_id is who calls. Such a token names no audience: it
 * is one for Feishu, which its holder lets us use to ask who he is, and any service that gets it
 * can show it here. Use it behind people's own clients only.
 *
 * Threads: any number at once. The judge is a row of the table in bearer.c.
 */
#ifndef WEIR_IDENTITY_FEISHU_H
#define WEIR_IDENTITY_FEISHU_H

#include "identity/issuers.h"
#include "text/problem.h"

struct identity;
struct identity_sources;
struct token_judge;
extern const struct token_judge judge_feishu;

/* Loaded; NULL: off. Users stand in `identity` already. */
const struct feishu_settings *feishu_load(const struct identity_sources *sources,
                                          const struct identity *identity,
                                          struct problems *problems);

#endif
