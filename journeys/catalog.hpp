/// Everything that decides, as of one publication: journeys, their older versions, settings,
/// templates.
#pragma once

#include "journeys/definition.hpp"
#include "journeys/settings.hpp"

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace journeys {

class Template;

/// What the state must keep because some journey (of any version still known) reads it.
struct Tracked {
    struct Count {
        Duration window{};                ///< The longest asked for.
        std::set<std::string> properties; ///< Kept of each occurrence.
    };
    std::map<std::string, Count, std::less<>> counts; ///< By event name: `count`, `last`, `recent`.
    std::set<std::string, std::less<>> newest; ///< Names that exits, waits and goals mention.
    std::set<std::string, std::less<>>
        properties;             ///< Properties that exits, waits and goals read; "*": all.
    bool session_ended = false; ///< Some journey names `Session Ended`.
};

/// Immutable; shared by all actors; replaced as a whole by a publication.
class Catalog {
public:
    /// `known` are older versions that open runs may be pinned to; of a pair that is also current,
    /// the current one counts. `publication` is the content hash of it all.
    Catalog(std::uint64_t publication, Settings settings, std::vector<JourneyPtr> current,
            std::vector<JourneyPtr> known = {},
            std::map<std::string, std::shared_ptr<const Template>> templates = {});

    std::uint64_t publication() const { return publication_; }
    const Settings& settings() const { return settings_; }
    std::span<const JourneyPtr> journeys() const {
        return current_;
    } ///< Highest priority first, then by id.
    std::span<const JourneyPtr> known() const { return known_; }
    const Journey* journey(std::string_view id) const; ///< The current version; null where gone.
    const Journey* version(std::string_view id,
                           std::uint64_t version) const; ///< Null where unknown.
    std::span<const Journey* const> entered_by(std::string_view event) const; ///< By priority.
    /// Those that are entered when a condition turns true; by priority.
    std::span<const Journey* const> entered_by_condition() const { return becoming_; }
    const Tracked& tracked() const { return tracked_; }
    const std::map<std::string, std::shared_ptr<const Template>>& templates() const {
        return templates_;
    }
    /// NAME.de-AT, NAME.de, NAME, the first that exists; null where none does.
    const Template* find_template(std::string_view name, std::string_view locale) const;

private:
    void track(const Journey& journey);

    std::uint64_t publication_;
    Settings settings_;
    std::vector<JourneyPtr> current_, known_;
    std::map<std::string, const Journey*, std::less<>> by_id_;
    std::unordered_map<std::uint64_t, const Journey*> by_version_; ///< The hash covers the id.
    std::map<std::string, std::vector<const Journey*>, std::less<>> entered_by_;
    std::vector<const Journey*> becoming_;
    std::map<std::string, std::shared_ptr<const Template>> templates_;
    Tracked tracked_;
};

using CatalogPtr = std::shared_ptr<const Catalog>;

} // namespace journeys
