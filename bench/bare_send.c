/* The least that serving costs: N sockets, one send() of the next bytes to each, every interval.
 * usage: bare_send PORT N BYTES_PER_SEND INTERVAL_MICROSECONDS
 * Says "ready" when it listens; begins when N connections are there; ends by a signal. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RING (4 << 20)
#define PIECE_MAX (1 << 20)

int main(int argc, char **argv) {
  if (argc != 5) { fprintf(stderr, "usage: bare_send PORT N BYTES INTERVAL_US\n"); return 2; }
  int port = atoi(argv[1]), n = atoi(argv[2]);
  double bytes = atof(argv[3]), interval_us = atof(argv[4]);
  if (bytes < 1 || bytes > PIECE_MAX || interval_us < 1 || n < 1) { fprintf(stderr, "bad numbers\n"); return 2; }
  uint8_t *ring = malloc(RING + PIECE_MAX);
  int *fds = malloc(sizeof(int) * n), one = 1;
  if (!ring || !fds) return 1;
  for (size_t i = 0; i < RING + PIECE_MAX; i++) ring[i] = (uint8_t)(i * 2654435761u >> 13);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) {
    perror("listen");
    return 1;
  }
  puts("ready");
  fflush(stdout);
  for (int i = 0; i < n; i++) {
    if ((fds[i] = accept(listener, NULL, NULL)) < 0) { perror("accept"); return 1; }
    setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  double sent = 0, due = 0;
  for (;;) {
    due += bytes;
    size_t length = (size_t)(due - sent), offset = (size_t)sent % RING;
    sent += length;
    for (int i = 0; i < n; i++) {
      /* What a full socket does not take is lost: the bytes mean nothing, and the reader counts what came. */
      ssize_t taken = send(fds[i], ring + offset, length, MSG_NOSIGNAL | MSG_DONTWAIT);
      (void)taken;
    }
    next.tv_nsec += (long)(interval_us * 1000) % 1000000000;
    next.tv_sec += (long)(interval_us / 1e6);
    if (next.tv_nsec >= 1000000000) { next.tv_nsec -= 1000000000; next.tv_sec++; }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
  }
}
