/* The part of zlib that ZlibKit calls; nothing here is visible above ZlibKit. */
#ifndef ANTECHAMBER_CZLIB_H
#define ANTECHAMBER_CZLIB_H

/* next_in is only read: without this it is a pointer to bytes that may be written. */
#define ZLIB_CONST
#include <zlib.h>

/* deflateInit2 is a macro, which adds the version and the size of z_stream that the caller was compiled with. 16 more
   than the window's bits asks for gzip's header and trailer in place of zlib's own. */
static inline int czlib_deflate_init_gzip(z_streamp stream, int level, int window_bits, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits + 16, memory_level, Z_DEFAULT_STRATEGY);
}

#endif
