/* The whole command line as a function, so that tests can call it. */
#ifndef CRMSYNC_CLI_MAIN_H
#define CRMSYNC_CLI_MAIN_H

int cli_main(int argc, char **argv);

#endif
