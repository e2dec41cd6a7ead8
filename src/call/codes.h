/*
 * call/codes.h - every code that an answer may carry, in one table
 *
 * A refusal or a failure is told by code, sentence and hint. The code is what programs read, so it
 * is never renamed. Lower floors write codes as literals (base/fail.h); test/unit/call/codes.c
 * reads the sources and fails on one that has no row here.
 */
#ifndef WEIR_CALL_CODES_H
#define WEIR_CALL_CODES_H

#include "base/str.h"

/* code, HTTP status where the transport itself must answer, outcome (D: denied, E: error), meaning
 */
#define CALL_CODES(X)                                                                              \
    X(AUTH_REQUIRED, 401, D, "authentication is required and none was given")                      \
    X(AUTH_INVALID_TOKEN, 401, D, "the token is not known")                                        \
    X(SIGNATURE_INVALID, 401, D, "headers that name a user are not of the gateway")                \
    X(NONCE_REPLAYED, 401, D, "a signed request was made before")                                  \
    X(CLOUD_CREDENTIALS_INVALID, 400, D, "keys for the cloud in the request's headers are wrong")  \
    X(ADMIN_REQUIRED, 403, D, "only a keeper, with the role mcp_admin, may do this")               \
    X(CSRF_INVALID, 403, D, "the request does not bear the session's CSRF token")                  \
    X(SETUP_DONE, 409, D, "there is a keeper already")                                             \
    X(INSUFFICIENT_SCOPE, 403, D, "the tool needs a scope that the token has not")                 \
    X(SEAL_INVALID, 200, D, "what the caller brings back is not what we gave it")                  \
    X(ORIGIN_NOT_ALLOWED, 403, D, "the Origin is not on the list")                                 \
    X(HOST_NOT_ALLOWED, 403, D, "the Host is not on the list")                                     \
    X(TOOL_NOT_ALLOWED, 200, D, "the caller may not use the tool")                                 \
    X(ARGUMENT_NOT_ALLOWED, 200, D, "a rule refuses an argument of the call")                      \
    X(PROJECT_NOT_ALLOWED, 200, D, "the caller may not use the project")                           \
    X(DOMAIN_NOT_ALLOWED, 200, D, "the caller may not use the domain")                             \
    X(TABLE_NOT_ALLOWED, 200, D, "the table does not exist or is not granted")                     \
    X(COLUMN_NOT_ALLOWED, 200, D, "the column does not exist or is not granted")                   \
    X(SELECT_STAR_NOT_ALLOWED, 200, D, "a star on a table with restricted columns")                \
    X(FUNCTION_NOT_ALLOWED, 200, D, "the function is not on the list")                             \
    X(SQL_SYNTAX_ERROR, 200, E, "the text is not SQL that we accept")                              \
    X(SQL_NOT_SUPPORTED, 200, D, "a construct that is refused by name")                            \
    X(SQL_NAME_ERROR, 200, E, "a name does not resolve, or resolves twice")                        \
    X(MULTIPLE_STATEMENTS_NOT_ALLOWED, 200, D, "more than one statement")                          \
    X(ONLY_SELECT_ALLOWED, 200, D, "a statement that is not a query")                              \
    X(TABLE_REFERENCE_REQUIRED, 200, D, "a query that reads no table")                             \
    X(SQL_TOO_LARGE, 200, D, "the statement passes a limit of size")                               \
    X(SQL_TOO_MANY_ITEMS, 200, D, "a list in the statement passes its limit")                      \
    X(SQL_TOO_DEEP, 200, D, "the statement passes the limit of nesting")                           \
    X(LIMIT_MUST_BE_LITERAL, 200, D, "LIMIT is no integer literal")                                \
    X(LIMIT_TOO_SMALL, 200, D, "LIMIT is below 1")                                                 \
    X(JOIN_NOT_APPROVED, 200, D, "the join is not in the catalogue of approved joins")             \
    X(TOO_MANY_JOINS, 200, D, "more tables are joined than the policy allows")                     \
    X(PARTITION_FILTER_REQUIRED, 200, D, "no partition predicate was proven for the table")        \
    X(RISK_NOT_ALLOWED, 200, D, "the risk level of the statement is not allowed")                  \
    X(CONFIRMATION_REQUIRED, 200, D, "the caller's own user must say yes first")                   \
    X(APPROVAL_REQUIRED, 200, D, "somebody else must approve the call first")                      \
    X(CONFIRMATION_DECLINED, 200, D, "the caller's own user said no")                              \
    X(APPROVAL_REJECTED, 200, D, "an approver said no to the call")                                \
    X(APPROVAL_NOT_FOUND, 404, E, "the request for approval never was, or its time is over")       \
    X(APPROVAL_NOT_ALLOWED, 403, D, "this person may not decide on the request")                   \
    X(APPROVAL_DECIDED, 409, E, "the request for approval is not pending any more")                \
    X(APPROVAL_TOO_LARGE, 200, D, "the call is too large for an approver to see it whole")         \
    X(SCAN_LIMIT_EXCEEDED, 200, D, "the statement would scan more than is allowed")                \
    X(DIALECT_UNSUPPORTED, 200, E, "the backend cannot say the construct with the same meaning")   \
    X(RATE_LIMIT_EXCEEDED, 200, D, "too many calls in the window")                                 \
    X(CONCURRENCY_LIMIT_EXCEEDED, 200, D, "too many running queries of one user")                  \
    X(DAILY_QUOTA_EXCEEDED, 200, D, "the day's queries are used up")                               \
    X(BUDGET_EXCEEDED, 200, D, "the call asks for more than is left of a budget")                  \
    X(QUERY_TIMEOUT, 200, E, "the query did not end before its deadline")                          \
    X(CANCELLED, 200, E, "the caller cancelled")                                                   \
    X(CALL_LOST, 200, E, "the replica that ran the call is gone, and it may not run twice")        \
    X(INPUT_REQUIRED, 200, E, "the caller has to answer a question first")                         \
    X(CLIENT_SILENT, 200, E, "the client did not answer what it was asked")                        \
    X(CLIENT_REFUSED, 200, E, "the client answered what it was asked with an error")               \
    X(TASK_UNKNOWN, 200, E, "the task never was, has ended long ago, or is somebody else's")       \
    X(SESSION_UNKNOWN, 404, E, "the session never was, has ended, or is somebody else's")          \
    X(CLIENT_CAPABILITY_MISSING, 400, E, "the client cannot be asked what the tool has to ask")    \
    X(BUSY, 200, E, "all places are taken; come back later")                                       \
    X(BACKEND_BUSY, 200, E, "no worker of the backend was free before the deadline")               \
    X(BACKEND_ERROR, 200, E, "the backend could not run the statement")                            \
    X(BACKEND_CANNOT_RUN, 200, E, "the backend holds a schema only")                               \
    X(BACKEND_NOT_INSTALLED, 200, E, "the backend's library is not installed")                     \
    X(BACKEND_UNKNOWN, 200, E, "no backend answers for the tables")                                \
    X(INVALID_ARGUMENT, 200, E, "an argument of the tool is wrong")                                \
    X(TOOL_NOT_FOUND, 200, E, "there is no such tool")                                             \
    X(REPLY_TOO_LARGE, 200, E, "the reply passes its maximum")                                     \
    X(AUDIT_UNAVAILABLE, 200, E, "the record could not be written, so nothing is answered")        \
    X(STORE_UNAVAILABLE, 200, E, "what replicas share cannot be read or written")                  \
    X(STORE_FULL, 200, E, "what replicas share has reached its maximum")                           \
    X(STORE_INVALID, 200, E, "a name, value or time is none that the store takes")                 \
    X(FETCH_INVALID, 200, E, "another server cannot be asked so")                                  \
    X(FETCH_FAILED, 200, E, "another server could not be asked")                                   \
    X(FETCH_TIMEOUT, 200, E, "another server did not answer in time")                              \
    X(FETCH_TOO_LARGE, 200, E, "another server answered more than is read")                        \
    X(ISSUER_UNAVAILABLE, 503, E, "who could tell whose credential it is does not answer")         \
    X(OUT_OF_MEMORY, 200, E, "the call's memory budget is spent")                                  \
    X(BAD_REQUEST, 400, D, "the request is no HTTP that we accept")                                \
    X(METHOD_NOT_ALLOWED, 405, E, "the path does not take this HTTP method")                       \
    X(UNSUPPORTED_MEDIA_TYPE, 415, E, "the body is not of type application/json")                  \
    X(NOT_FOUND, 404, E, "there is nothing at this path")                                          \
    X(JSON_INVALID, 400, E, "the body is no JSON that we accept")                                  \
    X(JSON_TOO_LARGE, 400, E, "the JSON passes a limit")                                           \
    X(ADDRESS_UNAVAILABLE, 500, E, "an address cannot be listened on")                             \
    X(AUDIT_BROKEN, 200, E, "the chain of the audit log does not hold")                            \
    X(AUDIT_TORN, 200, E, "the last line of the audit log is torn")                                \
    X(AUDIT_CUT, 200, E, "the audit log ends before its head")                                     \
    X(AUDIT_HEAD_LOST, 200, E, "the head of the audit log was not there")                          \
    X(AUDIT_RESUMED, 200, E, "the audit log was taken up after a torn line")                       \
    X(AUDIT_NOT_FOUND, 404, E, "the audit log has no such record")                                 \
    X(CASE_INVALID, 422, E, "a text of cases for a policy is of another form")                     \
    X(USER_NOT_FOUND, 200, E, "there is no user of that name")                                     \
    X(CONFIG_INVALID, 200, E, "a configuration file is wrong")                                     \
    X(INTERNAL_ERROR, 500, E, "an error of ours; the log tells more under the call's id")

enum code_outcome { CODE_D, CODE_E };

struct code {
    const char *name;
    int http_status;
    enum code_outcome outcome;
    const char *meaning;
};

extern const struct code call_codes[]; /* ends with a row whose name is NULL */
/* The row, or that of INTERNAL_ERROR for a name without one. */
const struct code *code_find(const char *name);

#endif
