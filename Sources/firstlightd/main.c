// Embedded Swift has neither CommandLine nor @main with arguments: the entry is C, everything else is Swift.
int firstlightd_entry(int argc, char **argv);

int main(int argc, char **argv) {
    return firstlightd_entry(argc, argv);
}
