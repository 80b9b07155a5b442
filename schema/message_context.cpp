#include "schema/message_context.hpp"

namespace schema {

using journeys::PackedView;
using journeys::PackedWriter;

bool Context::has_campaign() const {
    for (const auto text : campaign) {
        if (!text.empty()) return true;
    }
    return false;
}

bool Context::is_empty() const {
    return timezone.empty() && locale.empty() && country.empty() && referrer.empty() &&
           !has_campaign() && consents.empty();
}

void pack_context(const Context& context, PackedWriter& writer) {
    writer.clear();
    const auto map = writer.begin_map();
    std::size_t count = 0;
    const auto text = [&](std::string_view key, std::string_view value) {
        if (value.empty()) return;
        writer.key(key);
        writer.string(value);
        ++count;
    };
    text("timezone", context.timezone);
    text("locale", context.locale);
    text("country", context.country);
    text("referrer", context.referrer);
    if (context.has_campaign()) {
        writer.key("campaign");
        const auto campaign = writer.begin_map();
        std::size_t parts = 0;
        for (std::size_t i = 0; i < context.campaign.size(); ++i) {
            if (context.campaign[i].empty()) continue;
            writer.key(Context::campaign_keys[i]);
            writer.string(context.campaign[i]);
            ++parts;
        }
        writer.end_map(campaign, parts);
        ++count;
    }
    if (!context.consents.empty()) {
        writer.key("consent");
        const auto consent = writer.begin_map();
        for (const auto& [category, given] : context.consents) {
            writer.key(category);
            writer.boolean(given);
        }
        writer.end_map(consent, context.consents.size());
        ++count;
    }
    writer.end_map(map, count);
}

std::string merged_context(const Context& own, PackedView batch, std::string_view country,
                           PackedWriter& writer) {
    Context merged = own;
    if (merged.country.empty() && country.size() <= Context::text_bytes_max)
        merged.country = country;
    if (batch) {
        const auto stand_in = [&](std::string_view& text, std::string_view key) {
            if (text.empty()) text = batch.string_at(key);
        };
        stand_in(merged.timezone, "timezone");
        stand_in(merged.locale, "locale");
        stand_in(merged.country, "country");
        stand_in(merged.referrer, "referrer");
        if (!merged.has_campaign()) {
            const auto campaign = batch.find("campaign");
            for (std::size_t i = 0; i < merged.campaign.size(); ++i)
                merged.campaign[i] = campaign.string_at(Context::campaign_keys[i]);
        }
        if (merged.consents.empty()) {
            for (const auto& [category, given] : batch.find("consent").entries()) {
                if (given.is_bool()) merged.consents.emplace_back(category, given.as_bool());
            }
        }
    }
    if (merged.is_empty()) return {};
    pack_context(merged, writer);
    return writer.bytes();
}

} // namespace schema
