#include "CArguments.h"

#include <stdlib.h>

static int count;
static char **arguments;

// glibc and Darwin call constructors as they call main; musl gives them nothing.
#if defined(__GLIBC__) || defined(__APPLE__)
__attribute__((constructor)) static void keep(int argc, char **argv) {
  count = argc;
  arguments = argv;
}
#endif

int locus_argument_count(void) { return count; }

char *const *locus_arguments(void) { return arguments; }
