/// Where a message's data, condition or template went wrong, for people.
#pragma once

#include <string>
#include <string_view>

namespace runtime {

/// Of the data of a `suppress` entry: `, line 12, total: 1 / run.key (division by zero)`; empty
/// where no error caused it. Without the error the text is the author's alone: errors may quote
/// what a customer sent, which a log must not hold.
std::string failure_text(std::string_view packed, bool with_error = true);

} // namespace runtime
