/// The pages that a customer sees: plain HTML that works without a script and with any reader.
#pragma once

#include "journeys/customer.hpp"
#include "journeys/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace runtime {

/// What the page offers of one topic.
struct TopicChoice {
    std::string topic; ///< Empty: whatever has no topic of its own.
    bool is_wanted = false;
    bool is_pending = false;
};

/// One per topic of the settings, and the message's own where that is another; in their order.
std::vector<TopicChoice> topic_choices(const journeys::Customer& customer,
                                       const journeys::Settings& settings, std::string_view channel,
                                       std::string_view topic);

/// The form that posts to its own address: `topic=…` for each that is wanted, or `all=none`.
/// `asked`: the topic that the link was about, named first; `saved`: a word that it was done.
std::string preference_page(const std::vector<TopicChoice>& choices, std::string_view channel,
                            std::string_view asked, bool saved);
/// A button that confirms a subscription; a link alone must not, since programmes follow links.
std::string confirm_page(std::string_view topic, bool done);
std::string notice_page(std::string_view title, std::string_view text);

} // namespace runtime
