/// A journey told as a story: YAML in, events and time in, what was done out. The widest door that
/// is still fast: the real loader, the real decoder, the sequential run of the core.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/copies.hpp"
#include "journeys/coupons.hpp"
#include "journeys/effect.hpp"
#include "journeys/identity.hpp"
#include "journeys/local_time.hpp"
#include "journeys/models/learned_rewards.hpp"
#include "journeys/reference.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace support {

using namespace std::chrono_literals;
using journeys::Duration;
using journeys::Timestamp;

/// Monday, 2 March 2026, 10:00 UTC.
inline constexpr Timestamp monday = journeys::from_millis(1'772'445'600'000);

/// A live journey's file: entered as `enter` says (`on: Page Viewed, reentry: always`), it sends
/// one message at once, its step `hi`.
std::string greeting(std::string_view id, std::string_view enter);

class Story {
public:
    /// Each text is one journey's file; all permissions count as granted and every journey as live,
    /// unless the settings say otherwise. A mistake in a file fails the test.
    explicit Story(std::vector<std::string> journeys,
                   std::optional<journeys::Settings> settings = std::nullopt,
                   std::string actions = {}, journeys::Lookups lookups = {});

    Story(std::vector<std::string> journeys, std::optional<journeys::Settings> settings,
          journeys::Lookups lookups)
        : Story(std::move(journeys), std::move(settings), std::string{}, std::move(lookups)) {}

    /// An event of `who` (a user id, or `anonymous:x`) at `at`, accepted then. `properties`: JSON.
    journeys::Applied track(std::string_view who, std::string_view event, Timestamp at,
                            std::string_view properties = "{}");
    /// The same, accepted later than it happened.
    journeys::Applied track_late(std::string_view who, std::string_view event, Timestamp at,
                                 Timestamp accepted, std::string_view properties = "{}");
    /// The copy of an event that many get, made for `who` at `at`.
    journeys::Applied copy(std::string_view who, const journeys::CopiedEvent& event, Timestamp at);
    journeys::Applied identify(std::string_view who, Timestamp at, std::string_view traits,
                               std::string_view anonymous = {});
    /// Any Segment message.
    journeys::Applied message(std::string_view json, Timestamp accepted);
    void until(Timestamp at) { run_.close(at); }
    /// From here on these models count, and nobody has met them yet.
    void use_models(journeys::models::ModelSetPtr models);
    /// Every customer meets what was published, as of `at`.
    void wake_all(Timestamp at) { run_.wake_all(at); }
    /// From here on these files count.
    void publish(std::vector<std::string> journeys);
    /// From here on these actions count, and the same journeys.
    void offer(std::string actions);
    /// From here on this was learned of actions.
    void use_rewards(journeys::models::LearnedRewards learned);
    /// The same files, beside other values, tables and audiences.
    void use_lookups(journeys::Lookups lookups);

    /// From here on hand-overs ask it for codes.
    void use_coupons(std::shared_ptr<journeys::CouponSource> coupons);

    /// What happened since the last call, one line each: `kind journey/step key reason`, empty
    /// parts left out; entries of the kinds that `simulate` prints, and `no_entry`.
    std::vector<std::string> happened();
    /// Only those of one kind.
    std::vector<std::string> happened(journeys::EntryKind kind);
    /// When the newest entry of that kind was.
    Timestamp last_at(journeys::EntryKind kind) const;
    const std::vector<journeys::TimelineEntry>& entries() const { return entries_; }
    const journeys::Customer& customer(std::string_view who) const;
    const journeys::Catalog& catalog() const { return *catalog_; }
    std::vector<journeys::IntentGranted> granted;
    std::vector<journeys::CouponTaken> coupons_taken;

private:
    journeys::CatalogPtr load(const std::vector<std::string>& files);
    /// The same files, beside what has become of all else.
    void reload();

    std::optional<journeys::Settings> settings_;
    std::string actions_;
    std::optional<journeys::models::LearnedRewards> learned_;
    std::vector<std::string> files_;
    journeys::models::ModelSetPtr models_;
    journeys::Lookups lookups_;
    std::shared_ptr<journeys::CouponSource> coupons_;
    std::vector<journeys::JourneyPtr> known_;
    journeys::CatalogPtr catalog_;
    std::uint64_t publication_ = 0;
    std::uint64_t messages_ = 0, offset_ = 0;
    journeys::IdentityCache identity_;
    std::vector<journeys::TimelineEntry> entries_;
    std::size_t told_ = 0;
    journeys::Reference run_;
};

} // namespace support
