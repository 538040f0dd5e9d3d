/*
 * Preloaded into a hub: writes down what it does to the files of one folder, in order, so that a test can work out what a disk could
 * have held at any moment. See disk-journal.ts for the form. What is written through a memory map (SQLite's -shm, which is rebuilt
 * after a crash) is not seen.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int journal = -1;
static const char *folder;
static size_t folder_length;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
  folder = getenv("DISK_JOURNAL_FOLDER");
  const char *path = getenv("DISK_JOURNAL");
  if (folder == NULL || path == NULL) return;
  folder_length = strlen(folder);
  journal = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/* The path below the folder, "" for the folder itself; NULL when the file is none of ours. */
static const char *ours(const char *path) {
  if (journal < 0 || strncmp(path, folder, folder_length) != 0) return NULL;
  if (path[folder_length] == '\0') return "";
  return path[folder_length] == '/' ? path + folder_length + 1 : NULL;
}

static const char *name_of(int fd, char *buffer, size_t size) {
  if (journal < 0) return NULL;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, buffer, size - 1);
  if (length < 0) return NULL;
  buffer[length] = '\0';
  return ours(buffer);
}

static void record(char what, const char *name, uint64_t at, const void *data, uint32_t length) {
  struct __attribute__((packed)) {
    char what;
    uint8_t name;
    uint64_t at;
    uint32_t length;
  } head = {what, strlen(name), at, length};
  struct iovec parts[] = {{&head, sizeof head}, {(void *)name, head.name}, {(void *)data, length}};
  pthread_mutex_lock(&one_at_a_time);
  if (syscall(SYS_writev, journal, parts, 3) < 0) abort();
  pthread_mutex_unlock(&one_at_a_time);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define NAME(fd) \
  char buffer[4096]; \
  const char *name = name_of(fd, buffer, sizeof buffer)

/* Before it is done: at a crash in between it may have been, or not. */
#define WRITE(function, offset) \
  ssize_t function(int fd, const void *data, size_t length, offset at) { \
    NAME(fd); \
    if (name) record('w', name, at, data, length); \
    return REAL(function)(fd, data, length, at); \
  }
WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t length) {
  NAME(fd);
  if (name) record('w', name, lseek(fd, 0, SEEK_CUR), data, length);
  return REAL(write)(fd, data, length);
}

#define TRUNCATE(function, offset) \
  int function(int fd, offset length) { \
    NAME(fd); \
    if (name) record('t', name, length, NULL, 0); \
    return REAL(function)(fd, length); \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int unlink(const char *path) {
  const char *name = ours(path);
  if (name) record('u', name, 0, NULL, 0);
  return REAL(unlink)(path);
}

/* After it is done: only then does it hold. */
#define SYNC(function) \
  int function(int fd) { \
    NAME(fd); \
    int result = REAL(function)(fd); \
    if (name && result == 0) record('s', name, 0, NULL, 0); \
    return result; \
  }
SYNC(fsync)
SYNC(fdatasync)
