// Embedded Swift has neither CommandLine nor @main with arguments: the entry is C, everything else is Swift.
#include <string.h>

int firstlightd_entry(int argc, char **argv);
int firstlightctl_entry(int argc, char **argv);

// One program with two names, as BusyBox is: both carry SQLite's face and the migrator, and flash should pay for them once.
int main(int argc, char **argv) {
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : 0;
    const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";
    return strcmp(name, "firstlightctl") == 0 ? firstlightctl_entry(argc, argv) : firstlightd_entry(argc, argv);
}
