/// Recorded messages made ready to be sent again: their ids and times changed, every other byte
/// kept.
#pragma once

#include "journeys/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace runtime {

/// One per thread.
class MessageText {
public:
    MessageText();
    ~MessageText();

    /// What is wrong with a message that a service would refuse together with the whole frame it is
    /// in; nothing where it is a JSON object.
    std::optional<std::string> fault_of(std::string_view message);

    /// When the message happened: its `timestamp`, else its `originalTimestamp`. Nothing where it
    /// has neither, or is no JSON object.
    std::optional<journeys::Timestamp> time_of(std::string_view message);

    /// The message with `shift` added to `timestamp`, `originalTimestamp` and `sentAt`, and with
    /// `message_id` where it has none. What is no JSON object comes back as it is: the server will
    /// say what is wrong.
    std::string rewrite(std::string_view message, journeys::Duration shift,
                        std::string_view message_id);

private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

} // namespace runtime
