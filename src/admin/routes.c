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
    {"POST", "/admin/api/reload", NEEDS_KEEPER, true, policy_reload},
    {0},
};
