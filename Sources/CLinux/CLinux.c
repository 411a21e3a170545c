// SwiftPM wants one C file in a C target; everything is inline in the header.
#include "CLinux.h"
