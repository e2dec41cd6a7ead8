/*
 * net/listener.h - sockets that take connections in (inside of net/)
 *
 * Each lane has a listening socket of its own for each address; the kernel spreads the connections.
 * http_server_listen() and http_server_adopt() are here.
 *
 * Threads: the lane's loop, or before it runs the server's owner.
 */
#ifndef WEIR_NET_LISTENER_H
#define WEIR_NET_LISTENER_H

#include "net/connection.h"

/* lane->accept_pause is over: descriptors may be free again. */
void listeners_resume(struct loop_timer *timer);
void listeners_close(struct http_lane *lane);

#endif
