#include "house/welcome.h"

#include <stdio.h>

static void print_client(const char *scheme, struct str host, unsigned port, struct str token) {
    printf("  Token    " STR_FMT "\n\n"
           "  For a client's configuration:\n\n"
           "    {\"mcpServers\": {\"weir\": {\"type\": \"http\", "
           "\"url\": \"%s://" STR_FMT ":%u/mcp\",\n"
           "      \"headers\": {\"Authorization\": \"Bearer " STR_FMT "\"}}}}\n\n"
           "  From the command line:\n\n"
           "    curl -s %s://" STR_FMT ":%u/mcp -H 'Authorization: Bearer " STR_FMT "' \\\n"
           "      -d '{\"tool\": \"list_allowed_tables\"}'\n\n",
           STR_ARG(token), scheme, STR_ARG(host), port, STR_ARG(token), scheme, STR_ARG(host), port,
           STR_ARG(token));
}

void welcome_print(const struct settings *settings, struct str host, unsigned port) {
    struct str token = settings->server.welcome_token;
    const char *scheme = settings->http.tls_cert.len > 0 ? "https" : "http";
    printf("\n  Weir " WEIR_VERSION " serves MCP at %s://" STR_FMT ":%u/mcp\n", scheme,
           STR_ARG(host), port);
    if (token.len > 0 && settings_all_loopback(settings)) print_client(scheme, host, port, token);
    printf("  Stop with Ctrl-C.\n\n");
    fflush(stdout);
}
