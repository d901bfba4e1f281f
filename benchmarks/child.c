/* The programs that are supervised in the benchmarks: as little as a program can be.

     child sleep                       nothing
     child murmur                      a line of 60 bytes each second, its first after a random part of one
     child loud SIZE TOTAL             TOTAL bytes in lines of 100 bytes, SIZE bytes a write, then the end
     child announce SOCKET             sends "pid clock-in-nanoseconds" to a datagram socket, then nothing
*/
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void murmur(void) {
    char line[61];
    memset(line, 'm', 59);
    line[59] = '\n';
    usleep((unsigned)getpid() * 7919u % 1000000u);
    for (;;) {
        if (write(1, line, 60) < 0) exit(1);
        sleep(1);
    }
}

static void loud(size_t size, uint64_t left) {
    char *block = malloc(size);
    for (size_t i = 0; i < size; i++) block[i] = i % 100 == 99 ? '\n' : 'x';
    while (left) {
        ssize_t done = write(1, block, left < size ? left : size);
        if (done < 0) exit(1);
        left -= (uint64_t)done;
    }
}

static void announce(const char *path) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path, path, sizeof to.sun_path - 1);
    char text[64];
    int length = snprintf(text, sizeof text, "%d %lld", (int)getpid(),
                          (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (sendto(fd, text, (size_t)length, 0, (struct sockaddr *)&to, sizeof to) < 0) exit(1);
    close(fd);
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "sleep";
    if (!strcmp(mode, "murmur")) murmur();
    if (!strcmp(mode, "loud") && argc > 3) {
        loud(strtoull(argv[2], 0, 10), strtoull(argv[3], 0, 10));
        return 0;
    }
    if (!strcmp(mode, "announce") && argc > 2) announce(argv[2]);
    for (;;) pause();
}
