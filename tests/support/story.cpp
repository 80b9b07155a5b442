#include "support/story.hpp"

#include "schema/actions_yaml.hpp"
#include "schema/journey_yaml.hpp"
#include "schema/message_json.hpp"
#include "schema/timeline_json.hpp"

#include <catch2/catch.hpp>

namespace support {
namespace {

std::string told(const journeys::TimelineEntry& entry) {
    std::string line{journeys::to_text(entry.kind)};
    line += ' ' + entry.journey;
    if (!entry.step.empty()) line += '/' + entry.step;
    if (!entry.key.empty()) line += ' ' + entry.key;
    if (!entry.reason.empty()) line += ' ' + entry.reason;
    return line;
}

std::string quoted(std::string_view text) {
    std::string out;
    journeys::append_json_string(out, text);
    return out;
}

/// `"userId":"u"` or `"anonymousId":"a"`.
std::string id_member(std::string_view who) {
    constexpr std::string_view anonymous = "anonymous:";
    if (who.starts_with(anonymous))
        return "\"anonymousId\":" + quoted(who.substr(anonymous.size()));
    return "\"userId\":" + quoted(who);
}

} // namespace

std::string greeting(std::string_view id, std::string_view enter) {
    return "id: " + std::string{id} + "\nstatus: live\nenter: { " + std::string{enter} +
           " }\nsteps: [ { name: hi, send: { channel: email, template: t, topic: offers } } ]\n";
}

Story::Story(std::vector<std::string> files, std::optional<journeys::Settings> settings,
             std::string actions, journeys::Lookups lookups)
    : settings_(std::move(settings)), actions_(std::move(actions)), lookups_(std::move(lookups)),
      run_(load(files), [this](const journeys::Customer&, const journeys::Effect& effect) {
          if (const auto* entry = std::get_if<journeys::TimelineEntry>(&effect))
              entries_.push_back(*entry);
          if (const auto* grant = std::get_if<journeys::IntentGranted>(&effect))
              granted.push_back(*grant);
          if (const auto* taken = std::get_if<journeys::CouponTaken>(&effect))
              coupons_taken.push_back(*taken);
      }) {}

journeys::CatalogPtr Story::load(const std::vector<std::string>& files) {
    schema::LoadContext context;
    auto offers = schema::load_actions("actions.yaml", actions_, context);
    for (const auto& mistake : offers.mistakes)
        if (!mistake.is_warning) FAIL(schema::to_text(mistake));
    if (learned_) journeys::learn(offers, *learned_);
    context.actions = &offers.steps;
    std::vector<journeys::JourneyPtr> current;
    for (const auto& text : files) {
        auto result = schema::load_journey("test.yaml", text, context);
        for (const auto& mistake : result.mistakes)
            if (!mistake.is_warning) FAIL(schema::to_text(mistake));
        current.push_back(result.journey);
    }
    journeys::Settings settings;
    if (settings_) {
        settings = *settings_;
    } else {
        settings.assume_permission = true;
        settings.all_live = true;
    }
    auto catalog = std::make_shared<const journeys::Catalog>(
        ++publication_, settings, current, known_,
        std::map<std::string, std::shared_ptr<const journeys::Template>>{}, models_, lookups_,
        std::make_shared<const journeys::Offers>(std::move(offers)), nullptr, coupons_);
    files_ = files;
    known_.insert(known_.end(), current.begin(), current.end());
    catalog_ = catalog;
    return catalog;
}

void Story::reload() {
    const auto files = files_;
    run_.use(load(files));
}

void Story::use_models(journeys::models::ModelSetPtr models) {
    models_ = std::move(models);
    reload();
}

void Story::offer(std::string actions) {
    actions_ = std::move(actions);
    reload();
}

void Story::use_rewards(journeys::models::LearnedRewards learned) {
    learned_ = std::move(learned);
    reload();
}

void Story::use_lookups(journeys::Lookups lookups) {
    lookups_ = std::move(lookups);
    reload();
}

void Story::use_coupons(std::shared_ptr<journeys::CouponSource> coupons) {
    coupons_ = std::move(coupons);
    reload();
}

void Story::publish(std::vector<std::string> files) { run_.use(load(files)); }

journeys::Applied Story::message(std::string_view json, Timestamp accepted) {
    schema::MessageDecoder decoder;
    schema::Envelope envelope;
    envelope.received_at = accepted;
    envelope.recorded = true;
    auto frame = decoder.decode(json, envelope);
    if (!frame) FAIL(frame.error().detail);
    REQUIRE(frame->items.size() == 1);
    auto& item = frame->items.front();
    if (!item.event) FAIL(item.event.error().detail);
    auto routing = identity_.route(*item.event, accepted);
    const auto record = [&](journeys::CustomerId customer, auto body) {
        journeys::Record made;
        made.offset = ++offset_;
        made.accepted_at = accepted;
        made.customer = std::move(customer);
        made.body = std::move(body);
        return run_.take(std::move(made));
    };
    for (auto& link : routing.links) record(link.loser, link.link);
    return record(routing.customer, std::move(*item.event));
}

journeys::Applied Story::track_late(std::string_view who, std::string_view event, Timestamp at,
                                    Timestamp accepted, std::string_view properties) {
    return message("{\"type\":\"track\",\"messageId\":\"m" + std::to_string(++messages_) + "\"," +
                       id_member(who) + ",\"event\":" + quoted(event) + ",\"timestamp\":\"" +
                       journeys::to_text(at) + "\",\"properties\":" + std::string{properties} + "}",
                   accepted);
}

journeys::Applied Story::track(std::string_view who, std::string_view event, Timestamp at,
                               std::string_view properties) {
    return track_late(who, event, at, at, properties);
}

journeys::Applied Story::identify(std::string_view who, Timestamp at, std::string_view traits,
                                  std::string_view anonymous) {
    return message(
        "{\"type\":\"identify\",\"messageId\":\"m" + std::to_string(++messages_) + "\"," +
            id_member(who) +
            (anonymous.empty() ? std::string{} : ",\"anonymousId\":" + quoted(anonymous)) +
            ",\"timestamp\":\"" + journeys::to_text(at) + "\",\"traits\":" + std::string{traits} +
            "}",
        at);
}

journeys::Applied Story::copy(std::string_view who, const journeys::CopiedEvent& event,
                              Timestamp at) {
    journeys::Record record;
    record.offset = ++offset_;
    record.accepted_at = at;
    record.customer = *journeys::parse_customer_id(who);
    const bool is_of_product = journeys::is_product_event(event.name);
    record.body = journeys::copy_for(event, record.customer, is_of_product ? event.at : at);
    return run_.take(std::move(record));
}

std::vector<std::string> Story::happened() {
    std::vector<std::string> lines;
    for (; told_ < entries_.size(); ++told_) {
        const auto& entry = entries_[told_];
        if (schema::is_simulated(entry.kind) || entry.kind == journeys::EntryKind::no_entry)
            lines.push_back(told(entry));
    }
    return lines;
}

std::vector<std::string> Story::happened(journeys::EntryKind kind) {
    std::vector<std::string> lines;
    for (; told_ < entries_.size(); ++told_)
        if (entries_[told_].kind == kind) lines.push_back(told(entries_[told_]));
    return lines;
}

Timestamp Story::last_at(journeys::EntryKind kind) const {
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
        if (entry->kind == kind) return entry->at;
    return {};
}

const journeys::Customer& Story::customer(std::string_view who) const {
    const auto* found = run_.find(*journeys::parse_customer_id(who));
    REQUIRE(found != nullptr);
    return *found;
}

} // namespace support
