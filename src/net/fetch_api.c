#include "net/fetch_api.h"

#include "base/log.h"

#include <dlfcn.h>
#include <pthread.h>

/* Under the macros of curl.h that check types stand functions of the same names. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

static struct fetch_api api;
static bool is_open;
static pthread_once_t opened = PTHREAD_ONCE_INIT;

static bool find(void *library, const char *name, void *out) {
    void *symbol = dlsym(library, name);
    memcpy(out, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* Never closed: curl and OpenSSL keep data of threads. */
static void open_library(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    is_open = library != NULL;
#define FETCH_FIND(name) is_open = is_open && find(library, "curl_" #name, &api.name);
    FETCH_CALLS(FETCH_FIND)
#undef FETCH_FIND
    is_open = is_open && api.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!is_open)
        log_line(LOG_ERROR, "fetch_not_installed", STR_NONE,
                 "libcurl.so.4 (7.85 or later) cannot be loaded: no other server can be asked");
}

const struct fetch_api *fetch_api(void) {
    pthread_once(&opened, open_library);
    return is_open ? &api : NULL;
}
