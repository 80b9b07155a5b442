#include "runtime/report_desk.hpp"

#include "journeys/lower_case.hpp"
#include "journeys/policy.hpp"
#include "journeys/properties.hpp"
#include "schema/record_codec.hpp"

#include <algorithm>

namespace runtime {

using journeys::CustomerId;
using journeys::Event;
using journeys::FeedbackKind;
using journeys::Result;

namespace {

constexpr std::size_t link_bytes_max = 1024;

std::string_view reason_of(const Report& report) {
    switch (report.kind) {
    case FeedbackKind::bounced: return report.permanent ? "bounce" : "";
    case FeedbackKind::complained: return "complaint";
    case FeedbackKind::unsubscribed: return report.stop ? "stop" : "";
    case FeedbackKind::sent:
    case FeedbackKind::delivered:
    case FeedbackKind::opened:
    case FeedbackKind::clicked:
    case FeedbackKind::failed:
    case FeedbackKind::resubscribed: return "";
    }
    return "";
}

std::uint64_t message_hash(const Report& report, const journeys::ChannelRules& channel) {
    auto text = report.id;
    if (text.empty())
        text = std::to_string(static_cast<int>(report.kind)) + '/' +
               journeys::to_text(report.intent) + '/' + report.address + '/' +
               std::to_string(journeys::to_millis(report.at));
    return std::max<std::uint64_t>(journeys::hash(text, journeys::hash("feedback/" + channel.name)),
                                   1);
}

actors::Draft draft_of(const CustomerId& customer, Event event) {
    event.ids = {customer};
    actors::Draft draft;
    draft.customer = customer;
    draft.kind = journeys::RecordKind::event;
    draft.message_hash = event.message_hash;
    draft.record = std::make_shared<journeys::Record>();
    draft.record->customer = customer;
    draft.record->body = std::move(event);
    draft.bytes = schema::encode(*draft.record);
    return draft;
}

} // namespace

Event event_of(const Report& report, const journeys::ChannelRules& channel, const LedgerRow* row) {
    Event event;
    event.name = journeys::feedback_name(report.kind, channel.address != "phone");
    event.time = event.written = report.at;
    event.message_hash = message_hash(report, channel);
    event.message_id = report.id;
    journeys::PackedWriter writer;
    const auto mark = writer.begin_map();
    std::size_t count = 0;
    const auto text = [&](std::string_view key, std::string_view value) {
        if (value.empty()) return;
        writer.key(key);
        writer.string(value);
        ++count;
    };
    const auto flag = [&](std::string_view key, bool value) {
        writer.key(key);
        writer.boolean(value);
        ++count;
    };
    text("channel", channel.name);
    if (report.intent) text("intent", journeys::to_text(report.intent));
    text("topic", report.topic);
    if (row) {
        text("journey_id", row->journey);
        text("step_id", row->step);
    }
    if (report.kind == FeedbackKind::opened || report.kind == FeedbackKind::clicked)
        flag("machine", report.machine);
    if (report.kind == FeedbackKind::bounced)
        text("bounce_type", report.permanent ? "hard" : "soft");
    if (report.stop) flag("stop", true);
    text("reason", report.detail);
    text("link_url", journeys::bounded(report.link, link_bytes_max));
    if (report.refused)
        flag("refused", true);
    else if (row && !row->is_settled)
        flag("settles", true);
    // A hash and no address: who changes theirs is not suppressed for the one they had.
    if (const auto address = journeys::normal_address(channel, report.address); !address.empty()) {
        writer.key("address");
        writer.integer(static_cast<std::int64_t>(journeys::address_hash(channel, address)));
        ++count;
    }
    writer.end_map(mark, count);
    event.properties = writer.take();
    return event;
}

std::optional<CustomerId> customer_of(const Report& report, const journeys::ChannelRules& channel) {
    if (!report.customer.empty()) return journeys::parse_customer_id(report.customer);
    const auto address = journeys::normal_address(channel, report.address);
    if (address.empty()) return std::nullopt;
    if (channel.address == "phone") return CustomerId{journeys::IdNamespace::phone, address};
    if (channel.address != "email") return std::nullopt;
    return CustomerId{journeys::IdNamespace::email, journeys::to_lower(address)};
}

void ReportDesk::take(const std::string& channel, std::vector<Report> reports,
                      std::function<void(Result<Taken>)> done) {
    const auto catalog = parts_.catalog();
    const auto* rules = catalog->settings().channel(channel);
    if (!rules)
        return done(journeys::Error{journeys::ErrorCode::not_found, "no channel " + channel});

    std::vector<journeys::IntentId> intents;
    for (const auto& report : reports)
        if (report.intent) intents.push_back(report.intent);
    for (auto& report : reports) {
        if (report.intent || report.answer.empty() || report.customer.empty()) continue;
        const auto customer = journeys::parse_customer_id(report.customer);
        if (!customer) continue;
        auto named = parts_.ledger.find_answered(*customer, channel, report.answer);
        if (!named) return done(named.error());
        if (*named) intents.push_back(report.intent = **named);
    }
    auto rows = parts_.ledger.find(intents);
    if (!rows) return done(rows.error());

    std::vector<SuppressedAddress> suppressed;
    std::vector<actors::Draft> drafts;
    Taken taken;
    for (const auto& report : reports) {
        const auto address = journeys::normal_address(*rules, report.address);
        const auto found = rows->find(report.intent);
        const auto* row = report.intent && found != rows->end() ? &found->second : nullptr;
        auto reason = reason_of(report);
        std::vector<CustomerId> customers;
        if (row) {
            customers.push_back(row->customer);
        } else if (!report.customer.empty()) {
            if (auto customer = customer_of(report, *rules)) customers.push_back(*customer);
        } else if (!address.empty()) {
            auto reached = parts_.ledger.reached_at(address);
            if (!reached) return done(reached.error());
            customers = std::move(*reached);
            if (auto customer = customer_of(report, *rules);
                customer && std::ranges::find(customers, *customer) == customers.end())
                customers.push_back(*customer);
            // Who says no and is not known to us is held to it by the address.
            if (report.kind == FeedbackKind::unsubscribed && reason.empty())
                reason = "unsubscribed";
        }
        if (!reason.empty() && !address.empty())
            suppressed.push_back(
                {rules->address, address, std::string{reason}, "feedback " + channel});
        if (report.kind == FeedbackKind::resubscribed && report.stop && !address.empty())
            if (auto lifted = parts_.suppressions.lift_stop(rules->address, address); !lifted)
                return done(lifted.error());
        if (customers.empty()) ++taken.nobodys;
        for (const auto& customer : customers)
            drafts.push_back(draft_of(customer, event_of(report, *rules, row)));
    }
    if (auto added = parts_.suppressions.add(suppressed, parts_.now()); !added)
        return done(added.error());
    taken.events = drafts.size();
    if (drafts.empty()) return done(taken);
    parts_.log.append(std::move(drafts), [taken, done = std::move(done)](Result<void> appended) {
        if (!appended) return done(appended.error());
        done(taken);
    });
}

} // namespace runtime
