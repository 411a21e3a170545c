#ifndef ANTECHAMBER_CCURL_H
#define ANTECHAMBER_CCURL_H

#include <curl/curl.h>

#endif
