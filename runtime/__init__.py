"""Starting and running the program: settings, application factory, command line, web serving, log files."""
