// Embedded Swift has neither CommandLine nor @main with arguments: the entry is C, everything else is Swift.
int firstlightctl_entry(int argc, char **argv);

int main(int argc, char **argv) {
    return firstlightctl_entry(argc, argv);
}
