#include "journeys/traits.hpp"

#include "journeys/properties.hpp"

#include <algorithm>

namespace journeys {
namespace {

constexpr std::string_view consent_trait = "marketing_consent";
constexpr std::size_t place_bytes = 64;

/// `base` with `edits` laid over it, within the bound: what is known stays, further keys are
/// dropped.
std::string merge_bounded(PackedView base, PackedView edits, std::vector<std::string>* changed) {
    PackedWriter writer;
    const auto mark = writer.begin_map();
    std::size_t count = 0;
    const auto keep = [&](std::string_view key, PackedView value) {
        const auto size = key.size() + value.bytes().size() + 5;
        if (writer.bytes().size() + size > bounds::trait_bytes) return false;
        writer.key(key);
        writer.value(value);
        ++count;
        return true;
    };
    for (const auto& [key, value] : base.entries()) {
        const auto edit = edits.find(key);
        if (!edit) {
            keep(key, value);
        } else if (edit.is_null()) {
            if (changed) changed->emplace_back(key);
        } else if (keep(key, edit) && changed && edit.bytes() != value.bytes()) {
            changed->emplace_back(key);
        }
    }
    for (const auto& [key, value] : edits.entries()) {
        if (value.is_null() || base.find(key) || key == consent_trait) continue;
        if (keep(key, value) && changed) changed->emplace_back(key);
    }
    writer.end_map(mark, count);
    return count == 0 ? std::string{} : writer.take();
}

/// Those of `edits` for which `base` has no value.
std::string only_gaps(PackedView base, PackedView edits) {
    PackedWriter writer;
    const auto mark = writer.begin_map();
    std::size_t count = 0;
    for (const auto& [key, value] : edits.entries()) {
        if (base.find(key)) continue;
        writer.key(key);
        writer.value(value);
        ++count;
    }
    writer.end_map(mark, count);
    return writer.take();
}

/// Whether laying `edits` over `base` would change it.
bool differs(PackedView base, PackedView edits, bool keep_known) {
    for (const auto& [key, value] : edits.entries()) {
        if (key == consent_trait) continue;
        const auto known = base.find(key);
        if (!known ? !value.is_null() : !keep_known && known.bytes() != value.bytes()) return true;
    }
    return false;
}

void take_place(std::string& place, PackedView word, bool late) {
    if (!word.is_string() || (late && !place.empty())) return;
    const auto text = bounded(word.as_string(), place_bytes);
    if (!text.empty() && place != text) place = text;
}

} // namespace

std::vector<std::string> observe_traits(Customer& customer, const Event& event) {
    std::vector<std::string> changed;
    if (event.type == EventType::group) return changed;
    const PackedView edits{event.traits};
    if (!edits.is_map()) return changed;
    const PackedView known{customer.traits};
    const bool older = event.time < customer.traits_at;
    if (differs(known, edits, older)) {
        if (older) {
            const auto gaps = only_gaps(known, edits);
            customer.traits = merge_bounded(known, PackedView{gaps}, &changed);
        } else {
            customer.traits = merge_bounded(known, edits, &changed);
        }
    }
    customer.traits_at = std::max(customer.traits_at, event.time);
    return changed;
}

void observe_place(Customer& customer, const Event& event, bool late) {
    for (const auto& [key, value] : PackedView{event.context}.entries()) {
        if (key == "timezone")
            take_place(customer.timezone, value, late);
        else if (key == "locale")
            take_place(customer.locale, value, late);
        else if (key == "country")
            take_place(customer.country, value, late);
    }
    if (event.traits.empty() || event.type == EventType::group) return;
    const PackedView traits{event.traits};
    take_place(customer.timezone, traits.find("timezone"), late);
    take_place(customer.locale, traits.find("locale"), late);
    if (const auto country = traits.find("country"))
        take_place(customer.country, country, late);
    else
        take_place(customer.country, traits.find("address").find("country"), late);
    // A language is less than a locale: it counts where there is no other word.
    take_place(customer.locale, traits.find("language"), true);
}

void unite_traits(Customer& winner, const Customer& loser) {
    const bool loser_is_newer = loser.traits_at > winner.traits_at;
    const PackedView ours{winner.traits}, theirs{loser.traits};
    if (!loser.traits.empty())
        winner.traits = loser_is_newer
                            ? merge_bounded(ours, theirs, nullptr)
                            : merge_bounded(ours, PackedView{only_gaps(ours, theirs)}, nullptr);
    winner.traits_at = std::max(winner.traits_at, loser.traits_at);
    const bool loser_was_seen_last = loser.last_seen > winner.last_seen;
    const auto unite_place = [&](std::string& place, const std::string& other) {
        if (place.empty() || (loser_was_seen_last && !other.empty())) place = other;
    };
    unite_place(winner.timezone, loser.timezone);
    unite_place(winner.locale, loser.locale);
    unite_place(winner.country, loser.country);
}

} // namespace journeys
