#include "runtime/publisher.hpp"

#include "runtime/publication_upkeep.hpp"
#include "runtime/reward_learning.hpp"
#include "runtime/service_fit.hpp"
#include "runtime/system_settings.hpp"
#include "schema/record_codec.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

namespace {

constexpr auto take_over_patience = std::chrono::seconds{60};
/// So many checkpoints after it was applied a reward is on the timeline, as a rule. One that is
/// told of at the last moment, under load, is missed by what is learned; none is counted twice.
constexpr int checkpoints_of_delay = 2;
constexpr auto pruned_every = std::chrono::hours{1};
constexpr auto* refused_in_words = "refused, and what runs stays";

actors::Draft draft_of(const journeys::Catalog& catalog) {
    actors::Draft draft;
    draft.kind = journeys::RecordKind::publish;
    draft.record = std::make_shared<journeys::Record>();
    journeys::Publish publication;
    publication.publication = catalog.publication();
    for (const auto& journey : catalog.journeys())
        publication.journeys.push_back({journey->id, journey->version});
    draft.record->body = std::move(publication);
    draft.bytes = schema::encode(*draft.record);
    return draft;
}

/// Files that run already are the publication that they were; others are one that has never been.
Result<void> tell_apart_from_stored(Files& files, Archive& archive) {
    const auto numbers = archive.publication_numbers();
    if (!numbers) return numbers.error();
    const auto in_force = archive.publication_in_force();
    if (!in_force) return in_force.error();
    const auto runs = [&](std::uint64_t publication) {
        return publication == numbers->back() && (*in_force == 0 || *in_force == publication);
    };
    files.returned = 0;
    tell_apart(files, [&](std::uint64_t publication) {
        return std::ranges::find(*numbers, publication) != numbers->end() && !runs(publication);
    });
    return {};
}

} // namespace

Result<Published> first_publication(const Files& files, Archive& archive,
                                    Publications& publications, const ServiceClock& clock, Log& log,
                                    std::vector<schema::Mistake>& mistakes) {
    const auto stored = archive.publications();
    if (!stored) return stored.error();
    for (const auto& text : *stored)
        for (const auto& mistake : publications.add_stored(text))
            if (!mistake.is_warning)
                log.warning("an older publication no longer loads",
                            {{"mistake", schema::to_text(mistake)}});
    Published first{.files = files, .pools = {}};
    first.files.rewards = newest_rewards(*stored);
    if (auto told = tell_apart_from_stored(first.files, archive); !told) return told.error();
    auto compiled = publications.add(first.files);
    first.pools = std::move(compiled.pools);
    if (!compiled.catalog) {
        mistakes = std::move(compiled.mistakes);
        return Error{ErrorCode::invalid_journey, "the journeys have mistakes"};
    }
    if (auto saved = archive.save_publication(compiled.catalog->publication(), to_text(first.files),
                                              clock.now());
        !saved)
        return saved.error();
    return first;
}

Publisher::Publisher(PublisherParts parts, Published first)
    : parts_(std::move(parts)), first_pools_(std::move(first.pools)),
      published_(std::move(first.files)), keys_(parts_.config.keys),
      begun_(settings_of(published_, parts_.config_file.parent_path()).value_or(parts_.config)) {}

Result<void> Publisher::catch_up() {
    const auto stored = parts_.archive.publications();
    if (!stored) return stored.error();
    for (const auto& text : *stored) parts_.publications.add_stored(text);
    published_.rewards = newest_rewards(*stored);
    if (auto told = tell_apart_from_stored(published_, parts_.archive); !told) return told;
    const auto compiled = parts_.publications.add(published_);
    if (!compiled.catalog) return {};
    return parts_.archive.save_publication(compiled.catalog->publication(), to_text(published_),
                                           parts_.clock.now());
}

Result<void> Publisher::announce(const journeys::Catalog& catalog) {
    const auto until = std::chrono::steady_clock::now() + take_over_patience;
    while (true) {
        auto promise = std::make_shared<std::promise<Result<void>>>();
        std::vector<actors::Draft> drafts;
        drafts.push_back(draft_of(catalog));
        parts_.event_log.append(std::move(drafts), [promise](Result<void> result) {
            promise->set_value(std::move(result));
        });
        auto result = promise->get_future().get();
        if (result || std::chrono::steady_clock::now() > until) return result;
        if (result.error().code == ErrorCode::fenced) return result;
        std::this_thread::sleep_for(
            std::chrono::milliseconds{20}); // Partitions are still being taken over.
    }
}

void Publisher::begin() {
    const auto& config = parts_.config;
    pruning_.emplace(pruned_every, [this] { prune(); });
    if (config.learn_every != journeys::Duration::zero())
        learning_.emplace(config.learn_every, [this] { learn(); });
    if (config.fit_every != journeys::Duration::zero())
        fitting_.emplace(config.fit_every, [this] { fit(); });
}

void Publisher::stop() {
    fitting_.reset();
    learning_.reset();
    pruning_.reset();
}

Reload Publisher::reload() {
    const std::scoped_lock lock{publishing_};
    auto files = read_files(parts_.config_file, std::nullopt);
    if (!files) {
        parts_.log.error("reload: files cannot be read, the running journeys stay",
                         {{"why", files.error().detail}});
        return {.said = refused_in_words, .is_refused = true, .mistakes = {files.error().detail}};
    }
    files->rewards = published_.rewards;
    files->returned = published_.returned;
    // Secrets are no part of a publication, and may have changed where nothing else has.
    const auto more = [&](const std::string& what, const Files& now) -> Reload {
        const auto said = use_settings(now);
        return {.said = what + (said.empty() ? said : "; " + said)};
    };
    // A secret that is gone is a mistake, and publishing tells it.
    if (publication_of(*files) == publication_of(published_) &&
        settings_of(*files, parts_.config_file.parent_path())) {
        parts_.coupons.read_again(); // Their codes are no part of a publication.
        parts_.log.info("reload: nothing has changed");
        return more("no file has changed", *files);
    }
    auto made = publish(std::move(*files), "reload");
    if (made.is_refused) return made;
    return more(made.said, published_);
}

std::string Publisher::use_settings(const Files& files) {
    auto& log = parts_.log;
    const auto config = settings_of(files, parts_.config_file.parent_path());
    if (!config) {
        log.error("reload: the settings have mistakes, and what runs stays");
        return "the settings have mistakes";
    }
    auto now = *config;
    now.listen.address = parts_.config.listen.address;
    std::string said;
    if (now.keys != keys_) {
        if (schema::check_exposure(now, files.config_name).empty()) {
            parts_.use_keys(now.keys);
            keys_ = now.keys;
            log.info("reload: other keys count from now on", {{"keys", keys_.size()}});
            parts_.records.note("service", "keys.changed", "keys", std::to_string(keys_.size()));
            said = "other keys count from now on";
        } else {
            log.error("reload: the demo key must not be reachable from outside; the keys stay");
            said = "the keys stay, for the demo key must not be reachable from outside";
        }
    }
    now.listen = config->listen;
    std::string sections;
    for (const auto& section : schema::sections_of_restart(begun_, now))
        sections += (sections.empty() ? "" : " ") + section;
    if (sections.empty()) return said;
    log.warning("reload: a restart is needed", {{"sections", sections}});
    return said + (said.empty() ? "" : "; ") + "a restart is needed for: " + sections;
}

Reload Publisher::publish(Files files, std::string_view why) {
    auto& log = parts_.log;
    const auto say = [&](std::string_view what) {
        return std::string{why} + ": " + std::string{what};
    };
    tell_apart(files, [&](std::uint64_t publication) {
        return parts_.publications.find(publication) != nullptr;
    });
    const auto compiled = parts_.publications.add(files);
    for (const auto& mistake : compiled.mistakes)
        log.warning(why, {{"mistake", schema::to_text(mistake)}});
    const auto fails = [&](std::string_view what, const std::string& reason) -> Reload {
        log.error(say(what), {{"why", reason}});
        parts_.publications.add(published_); // The newest again.
        return {.said = std::string{refused_in_words} + "; the log says why", .is_refused = true};
    };
    if (!compiled.catalog) {
        log.error(say("refused, the running journeys stay"));
        Reload refused{.said = refused_in_words, .is_refused = true};
        for (const auto& mistake : compiled.mistakes)
            if (!mistake.is_warning && refused.mistakes.size() < reload_mistakes_max)
                refused.mistakes.push_back(schema::to_text(mistake));
        return refused;
    }
    parts_.interests.use(compiled.catalog);
    if (auto saved = parts_.archive.save_publication(compiled.catalog->publication(),
                                                     to_text(files), parts_.clock.now());
        !saved)
        return fails("cannot be stored", saved.error().detail);
    if (auto announced = announce(*compiled.catalog); !announced)
        return fails("cannot be published", announced.error().detail);
    parts_.records.note("service", "config.loaded",
                        "publication " + std::to_string(compiled.catalog->publication()),
                        std::to_string(compiled.catalog->journeys().size()) + " journeys; " +
                            std::string{why});
    parts_.sweep.begin(compiled.catalog->wake_reason());
    parts_.coupons.use(compiled.pools);
    parts_.watches.look();
    log.info(say("published"), {{"journeys", compiled.catalog->journeys().size()}});
    published_ = std::move(files);
    return {.said = "published"};
}

void Publisher::learn() {
    const std::scoped_lock lock{publishing_};
    const auto& config = parts_.config;
    const auto settled =
        parts_.clock.now() - config.settings.max_lateness -
        paced(config.storage.checkpoint, parts_.clock.speed()) * checkpoints_of_delay;
    auto lesson = learn_rewards(parts_.conninfo, published_.rewards, settled);
    if (!lesson)
        return parts_.log.warning("learning: what is known stays",
                                  {{"why", lesson.error().detail}});
    if (!*lesson) return;
    parts_.log.info("learning", {{"decisions", (*lesson)->decisions},
                                 {"rewards", (*lesson)->rewards},
                                 {"corrections", (*lesson)->corrections}});
    auto files = published_;
    files.rewards = std::move((*lesson)->text);
    publish(std::move(files), "learning");
}

void Publisher::fit() {
    const auto in_force = [this] {
        const std::scoped_lock lock{publishing_};
        return published_.models ? std::optional{published_.models->text} : std::nullopt;
    };
    const auto file = parts_.config_file.parent_path() / parts_.config.models;
    const auto fitted = fit_service(parts_.conninfo, file, in_force(),
                                    parts_.config.settings.currency, parts_.clock.now());
    if (!fitted)
        return parts_.log.warning("fit: the models stay", {{"why", fitted.error().detail}});
    parts_.log.info("fit", {{"said", fitted->said}});
    const std::scoped_lock lock{publishing_};
    auto files = published_;
    const auto before = files.models ? std::optional{files.models->text} : std::nullopt;
    files.models = {file.string(), with_other_models_of(before, fitted->models)};
    if (publication_of(files) == publication_of(published_)) return;
    publish(std::move(files), "fit");
}

void Publisher::prune() {
    const std::scoped_lock lock{publishing_};
    // The log is read with the publications that it names.
    const auto kept = std::max(parts_.config.retention.learned, parts_.config.storage.retention);
    const auto pruned = prune_learned(parts_.conninfo, parts_.publications.newest()->publication(),
                                      parts_.clock.now() - paced(kept, parts_.clock.speed()));
    if (!pruned)
        return parts_.log.repeated_warning("old versions of what was learned stay",
                                           {{"why", pruned.error().detail}});
    parts_.publications.forget(*pruned);
    if (!pruned->empty())
        parts_.log.info("old versions of what was learned", {{"gone", pruned->size()}});
}

} // namespace runtime
