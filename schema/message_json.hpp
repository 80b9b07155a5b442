/// What producers send, decoded: the messages of the Segment specification, alone, as an array or
/// as a batch.
///
/// What is taken, and how, wherever the specification leaves it open (the same for every door):
///
/// - JSON is strict RFC 8259 in UTF-8. A byte order mark in front is dropped. Text that is no JSON,
/// invalid
///   UTF-8, half a surrogate pair, or nesting deeper than `Limits::depth_max` refuses the whole
///   frame.
/// - Of a key given twice the last one counts, at every level. Unknown keys are checked and
/// ignored.
/// - `userId`, `anonymousId`, `previousId`, `groupId`, `messageId` may be integers: their digits
/// are the text.
///   null, and an empty text, count as absent. An id is 1 to 512 bytes without U+0000.
/// - An event that only the service makes (`Action Decided`, `Journey Ended`, …: `is_kept_for_us`)
///   is refused. A recorded one may be read.
/// - A messageId has at most 100 characters. Without one the server makes a hash and promises no
/// deduplication.
/// - The path's type wins over the message's own `type`; without a path's type the message must
/// name one.
/// - Ids beside `userId` and `anonymousId`: `context.externalIds` of type `email`, `phone`,
///   `shopify`, `token` (of a cart or an order) and `anonymous_id`, one each; the address in
///   `email` of an identify's traits, of `context.traits`, and of the properties of checkouts and
///   orders; a userId that is an e-mail address. Addresses are ids in lower case, numbers in E.164.
///   A message needs one of the first three.
/// - `previousId` is an anonymous id, unless it is written as `user:…` or with another namespace's
/// name.
/// - `name` and `category` of page and screen, and `groupId` of group, stand in `properties`.
/// - `properties` and `traits` are objects, null or absent; `context.traits` lies under the traits
/// of an identify.
/// - Of `context` only what the core reads is kept, texts of at most 512 bytes, 32 consent
/// categories. A batch's
///   `context` stands in where a message has none of its own, key by key.
/// - Integers past 64 bits become doubles; a number past the range of doubles refuses the message
/// where it
///   would be kept, and is ignored elsewhere.
/// - A time is ISO 8601 (no zone means UTC; digits past the millisecond are cut) or epoch
/// milliseconds. One that
///   cannot be read does not cost the message: it takes the receipt's time and says so in `clock`.
#pragma once

#include "journeys/closed_set.hpp"
#include "journeys/event.hpp"
#include "journeys/time.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

/// Why a message or a whole frame was refused; a label of `sojourn_rejected_total`.
enum class RejectReason : std::uint8_t {
    malformed_json,
    too_deep,
    too_large,
    too_many,
    bad_shape, ///< JSON, but no message, array or batch; or a member that must be an object and is
               ///< none.
    bad_type,
    no_identity,
    bad_identity,
    no_event,
    bad_event,
    bad_message_id,
    bad_number,
    bad_signature, ///< A webhook that its shop has not signed. Its text is not kept.
    bad_key,       ///< Of a request without a key of its own: the message names none that counts.
};
inline constexpr auto all_reject_reasons = journeys::values_of<RejectReason, 14>();
std::string_view to_text(RejectReason reason);

struct Reject {
    RejectReason reason;
    std::string detail; ///< A plain sentence for the producer.
};
[[noreturn]] void throw_exception_from_error(const Reject& reject,
                                             const boost::source_location& where);

template <class Value> using Decoded = boost::system::result<Value, Reject>;

struct Limits {
    std::size_t frame_bytes_max = 500 * 1024;
    std::size_t message_bytes_max = 32 * 1024;
    std::size_t batch_items_max = 2500;
    int depth_max = 64; ///< Of a message, which itself is level 1.
};

/// A producer's key that a message names.
struct NamedKey {
    std::uint64_t hash = 0; ///< As `Envelope::write_key_hash`.
    std::string_view name;  ///< Outlives the frame.
};
/// The key of that text, or why it does not count.
using FindKey = std::function<Decoded<NamedKey>(std::string_view write_key)>;

/// What the door knows about a frame before it is read.
struct Envelope {
    journeys::Timestamp received_at{};
    std::uint64_t write_key_hash = 0; ///< Names the key: a messageId is unique within it.
    /// Where the request itself shows no key: every message is of the key in its own `writeKey`,
    /// else in its batch's, and one without is refused. Empty: all are of `write_key_hash`.
    FindKey key_of_message = {};
    std::optional<journeys::EventType> expected; ///< From the path; none for batches and WebSocket.
    enum class Shape : std::uint8_t {
        any,     ///< One message, an array of them, or a batch.
        message, ///< `POST /v1/track`: one message.
        batch,   ///< `POST /v1/batch`: `{"batch": […]}`.
    } shape = Shape::any;
    /// A recorded file instead of a producer: the time is `timestamp` as written, whatever year it
    /// is; `received_at` stands in only where a message has none.
    bool recorded = false;
    /// History from the system before: the time is `timestamp` as written, and a message that comes
    /// again within the dedup window of its receipt is a duplicate.
    bool imported = false;
    Limits limits{};
};

/// How an event came by its time; a label of a metric.
enum class Clock : std::uint8_t {
    written,    ///< `timestamp`.
    corrected,  ///< receivedAt - (sentAt - originalTimestamp).
    absent,     ///< The receipt: none was given.
    unreadable, ///< The receipt: what was given is no time.
    nonsense,   ///< The receipt: more than 24 h ahead of it, or before the year 2000.
};
inline constexpr auto all_clocks = journeys::values_of<Clock, 5>();
std::string_view to_text(Clock clock);

/// All that an event is made of: decoding it again gives the same event.
struct Source {
    std::string_view raw; ///< The producer's own bytes of this one message.
    std::string_view
        batch_context; ///< Packed: what is kept of the batch's `context`; mostly empty.
    std::optional<journeys::Timestamp> batch_sent_at;
    journeys::Timestamp received_at{};
    std::uint64_t write_key_hash = 0;
    std::optional<journeys::EventType> expected;
    std::uint32_t index = 0; ///< Within its frame.
    bool recorded = false;
    bool imported = false;
};

struct DecodedItem {
    Decoded<journeys::Event> event;
    Source
        source; ///< Its views live as long as the text, and no longer than until the next `decode`.
    std::string message_id;                ///< Of a refused message too, where one could be read.
    std::vector<journeys::CustomerId> ids; ///< Of a refused message, where they could be read.
    Clock clock = Clock::written;
    std::string_view key_name = {}; ///< Of `Envelope::key_of_message`; else empty.
};

struct Frame {
    std::vector<DecodedItem> items; ///< One per message, in order.
};

/// Decodes frames, reusing its buffers. One per thread.
///
/// An event's time is not yet capped at `accepted_at`; the log does that when it knows it.
class MessageDecoder {
public:
    MessageDecoder();
    ~MessageDecoder();
    MessageDecoder(MessageDecoder&&) noexcept;
    MessageDecoder& operator=(MessageDecoder&&) noexcept;

    /// Bytes that may be read, whatever they are, behind a text that shall be decoded in place.
    static constexpr std::size_t padding = 64;

    /// Refuses the frame as a whole where it is malformed or over a limit; a bad message is an item
    /// that says why. `readable_after` of at least `padding` saves a copy of the text.
    Decoded<Frame> decode(std::string_view text, const Envelope& envelope,
                          std::size_t readable_after = 0);

    /// One message again, from what was kept of it. `source.raw` needs no padding.
    Decoded<journeys::Event> decode_again(const Source& source);

    /// The first `writeKey` that `counts`, of a body whose request carries none: its own, or one of
    /// its messages'. Empty where there is none; the text need not be well-formed.
    std::string find_write_key(std::string_view text,
                               const std::function<bool(std::string_view)>& counts);

private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

/// `messageId` as it is found again: 64 bits that are never 0.
std::uint64_t message_hash(std::uint64_t write_key_hash, std::string_view message_id);

} // namespace schema
