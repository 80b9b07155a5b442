/// Everything that decides, as files: read from disk, compiled into a catalogue, kept as one text.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/coupons.hpp"
#include "journeys/offers.hpp"
#include "journeys/recommending.hpp"
#include "journeys/result.hpp"
#include "schema/coupons_yaml.hpp"
#include "schema/mistakes.hpp"
#include "schema/settings_yaml.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace runtime {

/// A file beside the configuration, by its name as people see it in messages.
struct FileText {
    std::string name, text;
};

/// The texts of one publication.
struct Files {
    std::string config_name; ///< Empty: without a configuration.
    std::string config;
    // Of each kind one file, where it is there.
    std::optional<FileText> events;               ///< config/events.yaml
    std::optional<FileText> actions;              ///< config/actions.yaml
    std::optional<FileText> audiences;            ///< config/audiences.yaml
    std::optional<FileText> vars;                 ///< config/vars.yaml
    std::optional<FileText> coupons;              ///< config/coupons.yaml; the codes are not here.
    std::optional<FileText> models;               ///< The fitted models.
    std::map<std::string, std::string> journeys;  ///< File name -> text.
    std::map<std::string, std::string> templates; ///< Name without `.mustache` -> text.
    std::map<std::string, std::string> tables;    ///< File name -> text.
    /// Ids of the configuration's journeys where others stand in for them: known by name, no more.
    std::set<std::string> journeys_beside;
    /// What was learned of actions, as `schema/reward_json.hpp` has it. No file: the service writes
    /// it into its publications.
    std::optional<std::string> rewards;
    /// How often the same files have come back after others: each return is a publication of its
    /// own, because customers and partitions know by its number what they have met.
    std::uint32_t returned = 0;
};

/// What `--config` and `--journeys` name. Without a configuration only the journeys' folder (or
/// file) is read, with one it replaces the configuration's own. Fails with one line where something
/// can't be read.
journeys::Result<Files> read_files(const std::optional<std::filesystem::path>& config,
                                   const std::optional<std::filesystem::path>& journeys);

/// What the configuration among them says, with its secrets as they are now; nothing where it has
/// mistakes. `directory`: of the configuration.
std::optional<schema::Config> settings_of(const Files& files,
                                          const std::filesystem::path& directory);

/// As one JSON text, in which secrets stand as they do in the file (`${NAME}`), and back.
std::string to_text(const Files& files);
journeys::Result<Files> files_from_text(std::string_view text);
/// What was learned of actions so far, among all that was ever published (as `to_text` made it);
/// nothing: nothing was.
std::optional<std::string> newest_rewards(const std::vector<std::string>& publications);
/// The content's hash: the publication's name. Never 0.
std::uint64_t publication_of(const Files& files);
/// Makes `files` a publication that `is_taken` does not know, by `returned`.
void tell_apart(Files& files, const std::function<bool(std::uint64_t publication)>& is_taken);

struct CompileOptions {
    /// `simulate`: every journey is live; without a configuration permissions count as granted.
    bool trial = false;
    std::optional<std::uint64_t> seed;       ///< Instead of the configuration's.
    std::vector<journeys::JourneyPtr> known; ///< Older versions that open runs may be on.
    std::filesystem::path directory;         ///< Of the configuration, for `${file:…}`.
    std::shared_ptr<const journeys::Products> products; ///< What `product(id)` asks.
    std::shared_ptr<const journeys::RecommendationSource> recommendations;
    /// Who gives codes out; of a trial nobody is asked, and codes are made up.
    std::shared_ptr<journeys::CouponSource> coupons;
    std::optional<journeys::Timestamp> now = std::nullopt; ///< For a word on what is over.
    bool read_codes = false; ///< Also looks for mistakes in the pools' files of codes.
    bool was_taken = false;  ///< Stored once: see `schema::LoadContext`.
};

struct Compiled {
    std::vector<schema::Mistake> mistakes;           ///< Of all files, in the order of their names.
    std::map<std::string, schema::CouponPool> pools; ///< By name.
    std::optional<schema::Config> config; ///< Absent where the configuration itself can't be used.
    journeys::CatalogPtr catalog;         ///< Null where there are more than warnings.
};

Compiled compile(const Files& files, const CompileOptions& options);

} // namespace runtime
