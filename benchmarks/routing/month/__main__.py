import sys

from benchmarks.routing.month.telling import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
