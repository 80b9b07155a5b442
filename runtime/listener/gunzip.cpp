#include "runtime/listener/gunzip.hpp"

#include <algorithm>
#include <stdexcept>
#include <zlib.h>

namespace runtime {
namespace {

/// zlib's state, released on every way out.
struct Inflater {
    z_stream stream{};
    bool good = inflateInit2(&stream, 15 + 32) == Z_OK; // 32: gzip's header or zlib's.

    Inflater() = default;
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() {
        if (good) inflateEnd(&stream);
    }
};

} // namespace

void throw_exception_from_error(GunzipError, const boost::source_location& where) {
    boost::throw_with_location(std::logic_error("value() of a failed gunzip"), where);
}

boost::system::result<std::string, GunzipError> gunzip(std::string_view packed,
                                                       std::size_t bytes_max) {
    Inflater inflater;
    if (!inflater.good || packed.empty()) return GunzipError::malformed;
    auto& stream = inflater.stream;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    std::string text;
    while (true) {
        const auto size = text.size();
        if (size > bytes_max) return GunzipError::too_large;
        // One byte more than is allowed tells a text that just fits from one that does not.
        text.resize(std::min(std::max<std::size_t>(size * 2, 16 * 1024), bytes_max + 1));
        stream.next_out = reinterpret_cast<Bytef*>(text.data() + size);
        stream.avail_out = static_cast<uInt>(text.size() - size);
        const auto code = inflate(&stream, Z_NO_FLUSH);
        text.resize(text.size() - stream.avail_out);
        if (code == Z_STREAM_END) {
            if (text.size() > bytes_max) return GunzipError::too_large;
            if (stream.avail_in == 0) return text;
            if (inflateReset(&stream) != Z_OK) return GunzipError::malformed;
        } else if (code != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
            return GunzipError::malformed; // Z_BUF_ERROR too: the body was cut off.
        }
    }
}

} // namespace runtime
