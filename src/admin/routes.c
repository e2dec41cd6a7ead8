/* Every path of the keepers' door. */
#include "admin/desk.h"

const struct route routes[] = {
    {"GET", "/admin/api/status", NEEDS_KEEPER, false, status_show},
    {"GET", "/admin/api/setup/status", NEEDS_NOBODY, false, setup_show},
    {"POST", "/admin/api/setup/bootstrap", NEEDS_NOBODY, true, setup_bootstrap},
    {"GET", "/admin/api/session", NEEDS_KEEPER, false, login_show},
    {"POST", "/admin/api/session", NEEDS_NOBODY, true, login_open},
    {"POST", "/admin/api/session/logout", NEEDS_KEEPER, true, login_end},
    {"GET", "/admin/api/policy", NEEDS_KEEPER, false, policy_show},
    {"GET", "/admin/api/approvals", NEEDS_PERSON, false, approvals_show},
    {"POST", "/admin/api/approvals/{id}/approve", NEEDS_PERSON, true, approvals_approve},
    {"POST", "/admin/api/approvals/{id}/reject", NEEDS_PERSON, true, approvals_reject},
    {"POST", "/admin/api/reload", NEEDS_KEEPER, true, policy_reload},
    {0},
};
