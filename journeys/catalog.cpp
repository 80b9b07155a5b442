#include "journeys/catalog.hpp"

#include "journeys/coupons.hpp"
#include "journeys/decision.hpp"
#include "journeys/duration_text.hpp"
#include "journeys/expressions.hpp"
#include "journeys/ids.hpp"
#include "journeys/template.hpp"

#include <algorithm>
#include <bit>

namespace journeys {
namespace {

const std::shared_ptr<const Offers>& no_offers() {
    static const auto none = std::make_shared<const Offers>();
    return none;
}

/// Kept of whatever is counted, so that a shorter window may become longer.
constexpr Duration window_min = std::chrono::hours{24 * 31};

/// How far back a call looks; of one whose window is computed, as far as a file may say.
Duration window_of(const cel::Call& call) {
    if (call.function == "last") return {};
    const auto& texts = call.constant_strings;
    if (texts.size() < 2 || !texts[1]) return duration_max;
    return parse_duration(*texts[1], duration_max).value_or(Duration{});
}

std::uint64_t hash_of_table(const Table& table, std::uint64_t seed) {
    for (const auto& column : table.columns) seed = hash(column, seed);
    for (const auto& [key, row] : table.rows) seed = hash(row, hash(key, seed));
    return seed;
}

/// Of all that the expression looks up beside the customer: values, tables, and audiences with what
/// these look up. `looked_at`: audiences that were.
std::uint64_t hash_of_lookups(const Expression& expression, const Lookups& lookups,
                              std::set<std::string, std::less<>>& looked_at) {
    const auto& program = *expression.program;
    std::uint64_t seed = 0;
    if (program.uses_variable("vars")) {
        seed = hash(lookups.vars, seed);
        if (expression.vars) seed = hash(*expression.vars, seed);
    }
    for (const auto& call : program.calls()) {
        if (call.function != "lookup" && call.function != "audience") continue;
        const auto name = call.constant_strings.empty() ? std::nullopt : call.constant_strings[0];
        const auto is_meant = [&](const std::string& each) { return !name || each == *name; };
        if (call.function == "lookup") {
            for (const auto& [each, table] : lookups.tables)
                if (is_meant(each)) seed = hash_of_table(table, hash(each, seed));
            continue;
        }
        for (const auto& [each, condition] : lookups.audiences)
            if (is_meant(each) && looked_at.insert(each).second)
                seed = hash(condition.program->text(), hash(each, seed)) ^
                       hash_of_lookups(condition, lookups, looked_at);
    }
    return seed;
}

} // namespace

Catalog::Catalog(std::uint64_t publication, Settings settings, std::vector<JourneyPtr> current,
                 std::vector<JourneyPtr> known,
                 std::map<std::string, std::shared_ptr<const Template>> templates,
                 models::ModelSetPtr models, Lookups lookups, std::shared_ptr<const Offers> offers,
                 std::shared_ptr<const RecommendationSource> recommendations,
                 std::shared_ptr<CouponSource> coupons)
    : publication_(publication), settings_(std::move(settings)), current_(std::move(current)),
      known_(std::move(known)), templates_(std::move(templates)), models_(std::move(models)),
      lookups_(std::move(lookups)), offers_(offers ? std::move(offers) : no_offers()),
      recommendations_(std::move(recommendations)), coupons_(std::move(coupons)) {
    std::sort(current_.begin(), current_.end(), [](const JourneyPtr& a, const JourneyPtr& b) {
        return a->priority != b->priority ? a->priority > b->priority : a->id < b->id;
    });
    // Caps and budgets of decisions look back at it, whatever the journeys do; where they count
    // more than it holds one by one they have counters of their own.
    auto& decisions = tracked_.counts[std::string{action_decided}];
    decisions.window = decisions_kept;
    decisions.properties = {"action", "discount"};
    track(*offers_);
    for (const auto& [name, condition] : lookups_.audiences) track_calls(condition);
    for (const auto& journey : known_) {
        by_version_[journey->version] = journey.get();
        track(*journey);
    }
    for (const auto& journey : current_) {
        by_id_[journey->id] = journey.get();
        by_version_[journey->version] = journey.get();
        if (journey->enter.on_churn_risk) entered_by_risk_.push_back(journey.get());
        for (const auto& name : journey->enter.on) entered_by_[name].push_back(journey.get());
        if (journey->enter.date) entered_by_date_.push_back(journey.get());
        if (journey->enter.audience) entered_by_audience_.push_back(journey.get());
        if (journey->enter.becomes) becoming_.push_back(journey.get());
        track(*journey);
    }
}

void Catalog::track(const Journey& journey) {
    const auto name_event = [&](const std::string& name) {
        tracked_.newest.insert(name);
        tracked_.session_ended = tracked_.session_ended || name == "Session Ended";
    };
    for (const auto& name : journey.enter.on)
        tracked_.session_ended = tracked_.session_ended || name == "Session Ended";
    for (const auto& rule : journey.exits) std::ranges::for_each(rule.on, name_event);
    for (const auto& goal : journey.goals) std::ranges::for_each(goal.on, name_event);
    if (const auto& interested = journey.enter.interested)
        for (const auto& name : interested->did) {
            auto& kept = tracked_.counts[name];
            kept.window = std::max(kept.window, interested->within);
            kept.properties.insert("product_id");
            tracked_.interests.insert(name);
        }
    for (const auto& step : journey.steps) {
        if (const auto* wait = std::get_if<WaitForEvent>(&step.action))
            std::ranges::for_each(wait->events, name_event);
        if (const auto* wait = std::get_if<WaitFor>(&step.action))
            std::ranges::for_each(wait->restart_on, name_event);
        if (const auto* decide = std::get_if<Decide>(&step.action); decide && decide->reward)
            name_event(decide->reward->event);
    }
    tracked_.properties.insert(journey.properties_read.begin(), journey.properties_read.end());

    for (const auto& use : expressions_of(journey)) track_calls(*use.expression);
}

void Catalog::track(const Offers& offers) {
    for (const auto& rule : offers.recommend.when) track_calls(rule);
    if (offers.actions.empty()) return;
    tracked_.newest.insert(offers.reward.event);
    if (offers.guardrails.discount_budget) tracked_.given.insert(std::string{});
    for (const auto& offered : offers.actions) {
        if (offered.action.cap) tracked_.given.insert(offered.action.id);
        if (offered.reward) tracked_.newest.insert(offered.reward->event);
        if (offered.when) track_calls(*offered.when);
    }
}

void Catalog::track_calls(const Expression& expression) {
    for (const auto& call : expression.program->calls()) {
        if (call.function != "count" && call.function != "last" && call.function != "recent")
            continue;
        const auto& texts = call.constant_strings;
        const auto names =
            call.function == "last" ? texts.size() : std::min<std::size_t>(1, texts.size());
        for (std::size_t i = 0; i < names; ++i)
            if (texts[i]) {
                auto& kept = tracked_.counts[*texts[i]];
                kept.window = std::max({kept.window, window_min, window_of(call)});
                // Which properties of a `recent` item a file reads is not followed through its
                // macros: all are kept.
                if (call.function == "recent") kept.properties.insert("*");
            }
        if (call.function == "count" && texts.size() == 4 && texts[0] && texts[2])
            tracked_.counts[*texts[0]].properties.insert(*texts[2]);
    }
}

std::uint64_t Catalog::wake_reason() const {
    if (!models() && entered_by_date_.empty()) return 0;
    std::uint64_t reason = 0;
    const auto add_bits = [&](std::string_view name, std::uint64_t bits) {
        reason = hash(name, reason ^ bits);
    };
    const auto add = [&](std::string_view name, double value) {
        add_bits(name, std::bit_cast<std::uint64_t>(value));
    };
    if (models()) {
        reason = models_->version;
        add("at_risk", settings_.stages.at_risk);
        add("lapsed", settings_.stages.lapsed);
        add("overdue", settings_.stages.overdue);
        if (!settings_.currency.empty()) add_bits("currency", hash(settings_.currency));
        for (const auto* journey : entered_by_risk_)
            add(journey->id, *journey->enter.on_churn_risk);
    }
    for (const auto* journey : entered_by_date_) {
        const auto& entry = *journey->enter.date;
        add_bits(journey->id, static_cast<std::uint64_t>(entry.every));
        add_bits(entry.date.program->text(), static_cast<std::uint64_t>(entry.offset.count()));
        add_bits(entry.zone.name, static_cast<std::uint64_t>(entry.time.count()));
        std::set<std::string, std::less<>> looked_at;
        add_bits("lookups", hash_of_lookups(entry.date, lookups_, looked_at));
    }
    return reason | 1;
}

const Journey* Catalog::journey(std::string_view id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

const Journey* Catalog::version(std::string_view id, std::uint64_t version) const {
    const auto found = by_version_.find(version);
    return found == by_version_.end() || found->second->id != id ? nullptr : found->second;
}

std::span<const Journey* const> Catalog::entered_by(std::string_view event) const {
    const auto found = entered_by_.find(event);
    if (found == entered_by_.end()) return {};
    return found->second;
}

const Template* Catalog::find_template(std::string_view name, std::string_view locale) const {
    const auto find = [&](const std::string& full) -> const Template* {
        const auto found = templates_.find(full);
        return found == templates_.end() ? nullptr : found->second.get();
    };
    std::string base{name};
    if (!locale.empty()) {
        std::string tag{locale};
        std::ranges::replace(tag, '_', '-');
        if (const auto* exact = find(base + '.' + tag)) return exact;
        const auto language = tag.substr(0, tag.find('-'));
        if (const auto* general = find(base + '.' + language)) return general;
    }
    return find(base);
}

} // namespace journeys
