/*
 * identity/header_user.h - users of WeCom and DingTalk, whom a gateway has logged in
 *
 * enterprise.yaml switches them on and says which header names the user:
 *
 *     identity_providers:
 *       wecom: {type: wecom, enabled: true, corp_id: ww1, user_id_field: X-Wecom-User-Id}
 *
 * The header counts only behind the trusted gateway and under its signature, whose line of the user
 * is then this header's value (identity/gateway.h). The user is the one of enterprise.yaml who has
 * that wecom_id or dingtalk_id.
 *
 * Memory:  the rows live in the snapshot.
 * Errors:  those of gateway.h.
 * Threads: immutable.
 */
#ifndef WEIR_IDENTITY_HEADER_USER_H
#define WEIR_IDENTITY_HEADER_USER_H

#include "identity/gateway.h"
#include "identity/provider.h"

struct header_user {
    enum user_id_kind kind;
    struct str header; /* that holds the name of the user there */
};

/* `X-Wecom-User-Id`, `X-Dingtalk-User-Id`: where `user_id_field` does not say otherwise. */
struct str header_user_default(enum user_id_kind kind);
/* May this header name a user? A token of HTTP, and none that means something else. */
bool header_user_is_fit(struct str header);

#endif
