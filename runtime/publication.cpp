#include "runtime/publication.hpp"

#include "journeys/expressions.hpp"
#include "journeys/ids.hpp"
#include "journeys/template.hpp"
#include "runtime/event_files.hpp"
#include "schema/actions_yaml.hpp"
#include "schema/audiences_yaml.hpp"
#include "schema/coupon_csv.hpp"
#include "schema/coupons_yaml.hpp"
#include "schema/events_yaml.hpp"
#include "schema/journey_yaml.hpp"
#include "schema/model_json.hpp"
#include "schema/reward_json.hpp"
#include "schema/table_csv.hpp"
#include "schema/vars_yaml.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

namespace runtime {
namespace {

namespace fs = std::filesystem;
using journeys::Error;
using journeys::ErrorCode;

/// The kinds of files of which there is one at most: its member, where the configuration says that
/// it lies, and what a stored publication calls it.
struct Kind {
    std::string_view name;
    std::optional<FileText> Files::*text;
    std::string schema::Config::*path;
};
constexpr std::array<Kind, 6> kinds{{
    {"events", &Files::events, &schema::Config::events},
    {"actions", &Files::actions, &schema::Config::actions},
    {"audiences", &Files::audiences, &schema::Config::audiences},
    {"vars", &Files::vars, &schema::Config::vars},
    {"coupons", &Files::coupons, &schema::Config::coupons},
    {"models", &Files::models, &schema::Config::models},
}};

/// The files of a folder with one of these extensions, each under what `name` makes of its path.
template <class Name>
journeys::Result<void> read_folder(const fs::path& place,
                                   std::initializer_list<std::string_view> extensions, Name name,
                                   std::map<std::string, std::string>& texts) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{place, error}) {
        const auto extension = entry.path().extension().string();
        if (std::ranges::find(extensions, extension) == extensions.end()) continue;
        auto text = read_file(entry.path());
        if (!text) return text.error();
        texts[name(entry.path())] = std::move(*text);
    }
    if (error)
        return Error{ErrorCode::not_found, place.string() + ": cannot be read: " + error.message()};
    return {};
}

std::string whole_name(const fs::path& path) { return path.string(); }
std::string stem_name(const fs::path& path) { return path.stem().string(); }

journeys::Result<void> read_journeys(const fs::path& place, Files& files) {
    std::error_code error;
    if (fs::is_directory(place, error))
        return read_folder(place, {".yaml", ".yml"}, whole_name, files.journeys);
    auto text = read_file(place);
    if (!text) return text.error();
    files.journeys[place.string()] = std::move(*text);
    return {};
}

schema::Outside outside(const fs::path& directory) {
    return {[](const std::string& name) -> std::optional<std::string> {
                const auto* value = std::getenv(name.c_str());
                return value ? std::optional<std::string>{value} : std::nullopt;
            },
            [directory](const std::string& path) -> std::optional<std::string> {
                auto text = read_file(directory / path);
                if (!text) return std::nullopt;
                while (!text->empty() && (text->back() == '\n' || text->back() == '\r'))
                    text->pop_back();
                return std::move(*text);
            }};
}

void append(std::vector<schema::Mistake>& all, std::vector<schema::Mistake> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

/// Without a configuration actions are taken as journeys name them, all of them alike.
void offer_as_named(journeys::Offers& offers, const std::vector<journeys::JourneyPtr>& journeys) {
    for (const auto& journey : journeys)
        for (const auto& step : journey->steps)
            if (const auto* decide = std::get_if<journeys::Decide>(&step.action))
                for (const auto& way : decide->ways) {
                    if (std::ranges::any_of(offers.actions, [&](const auto& known) {
                            return known.action.id == way.action;
                        }))
                        continue;
                    journeys::OfferedAction made;
                    made.action.id = way.action;
                    made.action.value = 1;
                    offers.actions.push_back(std::move(made));
                }
}

bool has_errors(const std::vector<schema::Mistake>& mistakes) {
    return std::ranges::any_of(mistakes,
                               [](const schema::Mistake& mistake) { return !mistake.is_warning; });
}

/// Values, tables and audiences. The conditions of audiences are checked by `context`, and by the
/// values and tables; what is `broken` of these is noted.
journeys::Lookups load_lookups(const Files& files, schema::LoadContext context,
                               schema::LoadContext::Broken& broken,
                               std::vector<schema::Mistake>& mistakes) {
    journeys::Lookups lookups;
    if (files.vars) {
        auto loaded = schema::load_vars(files.vars->name, files.vars->text);
        broken.vars = has_errors(loaded.mistakes);
        append(mistakes, std::move(loaded.mistakes));
        lookups.vars = std::move(loaded.values);
    }
    for (const auto& [name, text] : files.tables) {
        auto loaded = schema::load_table(name, text);
        if (!loaded.has_header) broken.tables.insert(stem_name(name));
        append(mistakes, std::move(loaded.mistakes));
        lookups.tables[stem_name(name)] = std::move(loaded.table);
    }
    if (lookups.tables.size() > schema::tables_max)
        mistakes.push_back({files.tables.begin()->first, 0, 0,
                            "more than " + std::to_string(schema::tables_max) + " tables", false});
    if (files.audiences) {
        if (context.settings) context.lookups = &lookups;
        context.broken = broken;
        auto loaded = schema::load_audiences(files.audiences->name, files.audiences->text, context);
        append(mistakes, std::move(loaded.mistakes));
        broken.audiences = !loaded.is_read;
        broken.audience_names = std::move(loaded.broken);
        lookups.audiences = std::move(loaded.audiences);
    }
    return lookups;
}

/// What a file of codes holds that no import would take.
std::vector<schema::Mistake> mistakes_in_codes(const fs::path& path) {
    constexpr std::size_t told_max = 20;
    std::ifstream in{path, std::ios::binary};
    const auto read = schema::read_coupon_codes(in);
    if (!read) return {{path.string(), 1, 1, read.error().detail, false}};
    std::vector<schema::Mistake> mistakes;
    const auto& refused = read->refused;
    for (std::size_t i = 0; i < refused.size() && i < told_max; ++i)
        mistakes.push_back(
            {path.string(), static_cast<unsigned>(refused[i].line), 1, refused[i].why, false});
    if (refused.size() > told_max)
        mistakes.push_back(
            {path.string(), static_cast<unsigned>(refused[told_max].line), 1,
             "and " + std::to_string(refused.size() - told_max) + " more lines; mend these first",
             false});
    return mistakes;
}

/// Traits of customers that some file reads, for suggestions.
std::vector<std::string> traits_in(const Files& files, const journeys::Settings& settings) {
    std::set<std::string> traits;
    for (const auto& channel : settings.channels)
        if (!channel.address.empty()) traits.insert(channel.address);
    const auto look = [&](std::string_view text) {
        constexpr std::string_view before = "customer.traits.";
        for (auto at = text.find(before); at != text.npos; at = text.find(before, at)) {
            at += before.size();
            const auto end = text.find_first_not_of(
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", at);
            if (const auto name = text.substr(at, end - at); !name.empty()) traits.emplace(name);
        }
    };
    for (const auto& [name, text] : files.journeys) look(text);
    if (files.actions) look(files.actions->text);
    if (files.audiences) look(files.audiences->text);
    return {traits.begin(), traits.end()};
}

/// Of all journeys that expressions may name; nothing where a file cannot be read, whose id would
/// be missed.
std::optional<std::set<std::string>> ids_of(const Files& files) {
    auto ids = files.journeys_beside;
    for (const auto& [name, text] : files.journeys) {
        auto id = schema::journey_id_in(text);
        if (!id) return std::nullopt;
        ids.insert(std::move(*id));
    }
    return ids;
}

} // namespace

journeys::Result<Files> read_files(const std::optional<fs::path>& config,
                                   const std::optional<fs::path>& journeys) {
    Files files;
    std::vector<fs::path> places;
    if (config) {
        auto text = read_file(*config);
        if (!text) return text.error();
        files.config_name = config->string();
        files.config = std::move(*text);
        const auto directory = config->parent_path();
        // Read once for its paths alone; its mistakes are told when everything is compiled.
        const auto settings =
            schema::load_settings(files.config_name, files.config, outside(directory));
        const schema::Config paths = settings.config.value_or(schema::Config{});
        for (const auto& path : paths.journeys) places.push_back(directory / path);
        std::error_code error;
        if (const auto place = directory / paths.templates; fs::is_directory(place, error))
            if (auto read = read_folder(place, {".mustache"}, stem_name, files.templates); !read)
                return read.error();
        if (const auto place = directory / paths.tables; fs::is_directory(place, error))
            if (auto read = read_folder(place, {".csv"}, whole_name, files.tables); !read)
                return read.error();
        for (const auto& kind : kinds) {
            const auto place = directory / (paths.*kind.path);
            auto beside = read_file(place);
            if (beside)
                files.*kind.text = {place.string(), std::move(*beside)};
            else if (fs::exists(place, error))
                return beside.error();
        }
    }
    if (journeys) {
        Files beside;
        for (const auto& place : places)
            (void)read_journeys(place, beside); // What cannot be read names nothing.
        for (const auto& [name, text] : beside.journeys)
            if (auto id = schema::journey_id_in(text)) files.journeys_beside.insert(*id);
        places = {*journeys};
    }
    for (const auto& place : places)
        if (auto read = read_journeys(place, files); !read) return read.error();
    return files;
}

std::optional<schema::Config> settings_of(const Files& files, const fs::path& directory) {
    return schema::load_settings(files.config_name, files.config, outside(directory)).config;
}

std::string to_text(const Files& files) {
    nlohmann::json json;
    json["config_name"] = files.config_name;
    json["config"] = files.config;
    for (const auto& kind : kinds)
        if (const auto& file = files.*kind.text) {
            json[std::string{kind.name} + "_name"] = file->name;
            json[std::string{kind.name}] = file->text;
        }
    if (!files.tables.empty()) json["tables"] = files.tables;
    if (files.rewards) json["rewards"] = *files.rewards;
    if (files.returned > 0) json["returned"] = files.returned;
    json["journeys"] = files.journeys;
    json["templates"] = files.templates;
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

journeys::Result<Files> files_from_text(std::string_view text) {
    try {
        const auto json = nlohmann::json::parse(text);
        Files files;
        files.config_name = json.at("config_name");
        files.config = json.at("config");
        for (const auto& kind : kinds) {
            const std::string name{kind.name};
            if (json.contains(name)) files.*kind.text = {json.at(name + "_name"), json.at(name)};
        }
        if (json.contains("rewards")) files.rewards = json.at("rewards").get<std::string>();
        files.returned = json.value("returned", 0u);
        if (json.contains("tables"))
            files.tables = json.at("tables").get<std::map<std::string, std::string>>();
        files.journeys = json.at("journeys").get<std::map<std::string, std::string>>();
        files.templates = json.at("templates").get<std::map<std::string, std::string>>();
        return files;
    } catch (const nlohmann::json::exception& error) { // The border: nlohmann throws, we return.
        return Error{ErrorCode::invalid_state,
                     std::string{"a stored publication cannot be read: "} + error.what()};
    }
}

std::optional<std::string> newest_rewards(const std::vector<std::string>& publications) {
    std::optional<std::string> newest;
    journeys::Timestamp settled{};
    for (const auto& text : publications) {
        auto files = files_from_text(text);
        if (!files || !files->rewards) continue;
        const auto learned = schema::parse_rewards(*files->rewards);
        if (!learned || learned->settled_until <= settled) continue;
        settled = learned->settled_until;
        newest = std::move(files->rewards);
    }
    return newest;
}

std::uint64_t publication_of(const Files& files) { return journeys::hash(to_text(files)) | 1; }

void tell_apart(Files& files, const std::function<bool(std::uint64_t publication)>& is_taken) {
    while (is_taken(publication_of(files))) ++files.returned;
}

Compiled compile(const Files& files, const CompileOptions& options) {
    Compiled result;
    schema::LoadContext context;
    journeys::Settings settings;
    const bool has_config = !files.config_name.empty();
    if (has_config) {
        auto loaded =
            schema::load_settings(files.config_name, files.config, outside(options.directory));
        append(result.mistakes, std::move(loaded.mistakes));
        result.config = std::move(loaded.config);
        if (result.config) {
            settings = result.config->settings;
            context.settings = &result.config->settings;
        }
    } else {
        settings.assume_permission = true;
    }
    settings.all_live = options.trial;
    if (options.seed) settings.seed = *options.seed;

    schema::EventsFile events;
    if (has_config) {
        if (files.events) {
            events = schema::load_events(files.events->name, files.events->text);
            append(result.mistakes, std::move(events.mistakes));
        }
        if (events.is_read) context.events = events.names(); // Else any may be meant.
        context.declared = &events.events;
        context.journeys = ids_of(files);
    }
    context.was_taken = options.was_taken;
    std::map<std::string, schema::TemplateText> texts;
    std::map<std::string, std::shared_ptr<const journeys::Template>> templates;
    for (const auto& [name, text] : files.templates) {
        auto parsed = journeys::Template::parse(text);
        if (!parsed) {
            result.mistakes.push_back({name + ".mustache", 1, 1, parsed.error().detail, false});
            continue;
        }
        texts[name] = {text, *parsed};
        templates[name] = *parsed;
    }
    if (has_config) context.templates = &texts;

    journeys::models::ModelSetPtr models;
    if (files.models) {
        if (auto parsed = schema::parse_models(files.models->text))
            models = std::make_shared<const journeys::models::ModelSet>(std::move(*parsed));
        else
            result.mistakes.push_back({files.models->name, 1, 1, parsed.error().detail, false});
    }
    context.seen_traits = traits_in(files, settings);
    context.models_loaded = models && models->has_purchases;

    if (files.coupons) {
        auto coupons = schema::load_coupons(files.coupons->name, files.coupons->text);
        append(result.mistakes, std::move(coupons.mistakes));
        if (coupons.is_read) context.coupons = coupons.names(); // Else any may be meant.
        result.pools = std::move(coupons.pools);
        std::error_code error;
        for (const auto& [name, pool] : result.pools) {
            if (pool.file.empty()) continue;
            const auto path = options.directory / pool.file;
            if (!fs::is_regular_file(path, error))
                result.mistakes.push_back({files.coupons->name, pool.at.line, pool.at.column,
                                           "there is no file " + pool.file + ", so the pool " +
                                               name + " gets no codes from it",
                                           true});
            else if (options.read_codes)
                append(result.mistakes, mistakes_in_codes(path));
        }
    } else if (has_config) {
        context.coupons.emplace();
    }

    schema::ActionsFile offers;
    if (files.actions) {
        offers = schema::load_actions(files.actions->name, files.actions->text, context);
        append(result.mistakes, std::move(offers.mistakes));
    }
    if (has_config) context.actions = &offers.steps;

    auto lookups = load_lookups(files, context, context.broken, result.mistakes);
    lookups.products = options.products;
    if (has_config) context.lookups = &lookups;
    context.now = options.now;

    std::vector<journeys::JourneyPtr> current;
    for (const auto& [name, text] : files.journeys) {
        auto loaded = schema::load_journey(name, text, context);
        append(result.mistakes, std::move(loaded.mistakes));
        if (!loaded.journey) continue;
        const auto before = std::ranges::find_if(options.known, [&](const auto& known) {
            return known->id == loaded.journey->id && known->version == loaded.journey->version;
        });
        current.push_back(before == options.known.end()
                              ? std::move(loaded.journey)
                              : journeys::sharing_counts(loaded.journey, **before));
    }
    append(result.mistakes, schema::check_together(current));
    if (has_errors(result.mistakes)) return result;
    if (!has_config) offer_as_named(offers, current);
    if (files.rewards) {
        const auto learned = schema::parse_rewards(*files.rewards);
        if (!learned) {
            result.mistakes.push_back({"learned rewards", 1, 1, learned.error().detail, false});
            return result;
        }
        journeys::learn(offers, *learned);
    }
    result.catalog = std::make_shared<const journeys::Catalog>(
        publication_of(files), std::move(settings), std::move(current), options.known,
        std::move(templates), std::move(models), std::move(lookups),
        std::make_shared<const journeys::Offers>(std::move(offers)), options.recommendations,
        options.trial ? std::make_shared<journeys::TrialCoupons>() : options.coupons);
    return result;
}

} // namespace runtime
