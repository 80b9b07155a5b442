/// How soon a connection to PostgreSQL counts as lost whose other side is gone without a word.
#pragma once

#include <array>
#include <utility>

namespace runtime {

/// As options of libpq: 10 s of silence, then three questions 5 s apart; and 15 s for what was sent
/// to arrive.
inline constexpr std::array<std::pair<const char*, const char*>, 4> keep_alive{
    {{"keepalives_idle", "10"},
     {"keepalives_interval", "5"},
     {"keepalives_count", "3"},
     {"tcp_user_timeout", "15000"}}};

} // namespace runtime
