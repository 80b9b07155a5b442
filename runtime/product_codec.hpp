/// The log's codec for the product's records: `schema/record_codec.hpp`, as the adapters of the log
/// take it.
#pragma once

#include "runtime/postgres/log_codec.hpp"

namespace runtime {

/// For any thread.
LogCodec product_codec();

} // namespace runtime
