/// From a producer's text to what the log appends: decoding, routing to customers, and the answer.
#pragma once

#include "actors/ports.hpp"
#include "journeys/identity.hpp"
#include "schema/message_json.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

/// A message that was refused, on its way to where `sojourn rejects` finds it.
struct RejectedMessage {
    schema::RejectReason reason{};
    std::string detail;
    std::string message_id;
    std::string raw; ///< Its beginning: at most `raw_bytes_max`.
    std::string key; ///< The name of the producer's key.
    journeys::Timestamp received_at{};
    std::vector<journeys::CustomerId> ids; ///< Whose it is, where that could be read.

    static constexpr std::size_t raw_bytes_max = 4096;
};

/// Refused items of one frame, as its producer is told.
struct RejectedItem {
    std::uint32_t index = 0;
    std::string message_id;
    std::string error;
};

/// What one frame or body comes to.
struct Taken {
    std::size_t accepted = 0; ///< Messages; duplicates are found later and count.
    std::vector<actors::Draft>
        drafts;                    ///< One per accepted message, and the links they showed first.
    std::size_t links = 0;         ///< Ids that turned out to be of one customer.
    std::size_t refused_links = 0; ///< Such that had too many links to be believed.
    std::array<std::size_t, schema::all_clocks.size()>
        clocks{}; ///< Of the accepted, by `schema::Clock`.
    std::vector<RejectedItem> rejected;
    std::vector<RejectedMessage> refused; ///< The same, for operators.
};

/// Reuses its buffers and remembers links. One per thread.
class Ingest {
public:
    explicit Ingest(journeys::IdentityRules rules = {}) : identities_(std::move(rules)) {}

    /// A frame that is refused as a whole is the error. `key_name`: for rejects; of a message whose
    /// key the envelope finds, that key's.
    schema::Decoded<Taken> take(std::string_view text, const schema::Envelope& envelope,
                                std::string_view key_name, std::size_t readable_after);

    /// Forgets the links: an append failed, so what the cache takes for appended may not be.
    void forget_links() { identities_.forget(); }

    std::string find_write_key(std::string_view text,
                               const std::function<bool(std::string_view)>& counts) {
        return decoder_.find_write_key(text, counts);
    }

private:
    schema::MessageDecoder decoder_;
    journeys::IdentityCache identities_;
};

} // namespace runtime
