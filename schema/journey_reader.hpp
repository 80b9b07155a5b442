/// The reading of one journey's file, for the sources beside this header only.
#pragma once

#include "journeys/environment.hpp"
#include "schema/audiences_yaml.hpp"
#include "schema/journey_keys.hpp"
#include "schema/journey_yaml.hpp"

#include <set>

namespace schema {

class JourneyReader {
public:
    JourneyReader(const std::string& file, std::string_view text, const LoadContext& context);
    LoadResult read();
    ActionStepsResult read_action_steps();
    /// Of a file of audiences, whose conditions are read as those of journeys are.
    AudiencesFile read_audiences();

private:
    /// The steps of one block: of the file, of an arm, of `then`.
    struct StepList {
        journeys::StepIndex parent = journeys::end_of_run;
        std::vector<journeys::StepIndex> steps;
    };
    /// A block that belongs to a step, to be linked once all steps are read.
    struct Block {
        journeys::StepIndex step;
        std::size_t index; ///< Of the arm or variant; 0 `then`, 1 `timeout`.
        std::size_t list;
    };
    struct SendPlace {
        journeys::StepIndex step;
        Place at, template_at, expires_at;
        /// The names under `data`, those of expressions with mistakes too; nothing where what
        /// stands there is told to be something else.
        std::optional<std::vector<std::string>> given = {};
    };
    struct EventWait {
        journeys::StepIndex step;
        std::vector<std::pair<std::string, Place>> events;
    };
    /// The steps of an action, whose place is kept behind the decision.
    struct Inlined {
        journeys::StepIndex decide;
        std::size_t way;
        journeys::StepIndex at;
        const ActionSteps* steps;
    };
    struct SentName {
        std::string name;
        Place at;
    };

    // journey_yaml.cpp
    void read_head(const YamlNode& root);
    MapReader section(const YamlNode& node, std::string_view name) {
        return {node, journey_section(name), mistakes_};
    }

    // journey_expressions.cpp
    std::optional<journeys::Expression> expression(const YamlNode& node, journeys::Scope scope,
                                                   journeys::cel::Expect expect,
                                                   bool is_data = false);
    std::optional<journeys::Expression> condition(const YamlNode& node, journeys::Scope scope);
    std::vector<journeys::Expression> conditions(const YamlNode& node, journeys::Scope scope);
    std::vector<std::pair<std::string, journeys::Expression>>
    expressions_by_name(const YamlNode& node, std::string_view key);
    void note_reads(const YamlNode& node, const journeys::cel::Program& program);
    void check_calls(const YamlNode& node, const journeys::cel::Program& program, bool is_data);
    /// What cannot be meant, and harms nobody who already runs it.
    void refuse(Place at, std::string message) {
        context_.was_taken ? mistakes_.warn(at, std::move(message))
                           : mistakes_.add(at, std::move(message));
    }
    // journey_names.cpp
    void check_names(const YamlNode& node, const journeys::cel::Program& program);
    void check_property(Place at, const journeys::cel::Path& path);
    void check_comparison(Place at, const journeys::cel::Comparison& comparison);
    void check_texts(Place at, const std::vector<std::string>& path,
                     const std::vector<std::string>& texts);
    void check_counted_property(Place at, const journeys::cel::Call& call);
    void check_journey_name(std::string_view name, Place at);
    /// The events that `path` reads a property of, and the property.
    struct PropertyRead {
        const std::vector<std::string>* events;
        std::string_view name;
    };
    std::optional<PropertyRead> property_read(const std::vector<std::string>& path) const;
    journeys::cel::Type known_type(const std::vector<std::string>& path) const;

    void check_vars(const YamlNode& node, const journeys::cel::Path& path);
    void check_coupon(const YamlNode& node, const journeys::cel::Path& path);
    void check_lookup(Place at, const journeys::cel::Call& call);
    void read_property(const std::string& name);

    // journey_decide.cpp
    void read_decide(const YamlNode& node, journeys::StepIndex step);
    void read_policy(const YamlNode& node, journeys::Decide& decide);
    void keep_place_for(const ActionSteps& steps, journeys::StepIndex decide, std::size_t way);
    void link_decisions();

    // journey_watch.cpp
    void read_watch(const YamlNode& node);
    void read_sends_per_day(const YamlNode& node, journeys::Watch& watch);

    // journey_entry.cpp, journey_date_entry.cpp
    void read_enter(const YamlNode& node);
    /// `date` and the keys beside it.
    void read_date_entry(const MapReader& enter);
    void check_date_of_customer(const YamlNode& node, const journeys::cel::Program& program);
    // journey_copied_entry.cpp
    /// `audience` and the keys beside it.
    void read_audience_entry(const MapReader& enter);
    void read_instant(const YamlNode& node, journeys::AudienceEntry& entry);
    /// `interested`, beside the events of `on`.
    void read_interested(const MapReader& enter);
    std::vector<std::string> names_of_products(const YamlNode& node);
    void check_audience_name(std::string_view name, Place at);
    std::optional<journeys::Reentry> read_reentry(const YamlNode& node);
    void check_is_list(const YamlNode& node, const journeys::cel::Program& program);
    void check_key_of_each(const YamlNode& node, const journeys::cel::Program& program);
    void read_bound(const YamlNode& node, std::optional<journeys::Timestamp>& bound);
    void warn_of_past(const YamlNode* until);
    /// Of a share by which nobody is left.
    void warn_of_share(const YamlNode* node, double share, double of_nobody, std::string_view what);
    journeys::Duration longer_than_nothing(const YamlNode& node, std::string_view otherwise);
    void read_exits(const YamlNode& node);
    void read_goal(const YamlNode& node);
    std::vector<std::string>
    event_names(const YamlNode& node, std::vector<std::pair<std::string, Place>>* places = nullptr);
    void check_event(std::string_view name, Place at);

    // journey_steps.cpp
    std::size_t read_steps(const YamlNode& node, const std::string& prefix,
                           journeys::StepIndex parent);
    void read_step(const YamlNode& node, const std::string& path, std::size_t list);
    void read_block(const YamlNode& node, const std::string& label, journeys::StepIndex step,
                    std::size_t index);
    void read_wait(const YamlNode& node, journeys::StepIndex step);
    void read_until(const YamlNode& node, journeys::StepIndex step);
    void read_send(const YamlNode& node, journeys::StepIndex step);
    std::string read_pool(const YamlNode& node);
    void read_content(const MapReader& reader, journeys::Send& send);
    void read_call(const YamlNode& node, journeys::StepIndex step);
    void read_branch(const YamlNode& node, journeys::StepIndex step);
    void read_split(const YamlNode& node, journeys::StepIndex step);
    void read_update(const YamlNode& node, journeys::StepIndex step);
    void read_exit(const YamlNode& node, journeys::StepIndex step);
    journeys::ZoneChoice read_zone(const YamlNode* node);
    std::string read_name(const YamlNode& node, std::string_view what);
    std::string read_channel(const YamlNode* node);
    std::string read_topic(const YamlNode* node);
    void link_steps();

    // journey_checks.cpp
    void check_whole();
    void check_reachable();
    bool always_ends(std::size_t list) const;
    bool always_ends(journeys::StepIndex step) const;
    void check_event_waits();
    void check_sends();
    void check_template(const SendPlace& place, const journeys::Send& send);
    void check_only_time_changes(const YamlNode& node, const journeys::cel::Program& program);

    Mistakes mistakes_;
    YamlDocument document_;
    const LoadContext& context_;
    ValueReader values_{mistakes_};
    std::shared_ptr<journeys::Journey> journey_ = std::make_shared<journeys::Journey>();
    std::vector<StepList> lists_;
    std::vector<Block> blocks_;
    std::vector<Place> step_places_;
    std::vector<std::string>
        block_prefixes_; ///< By step: its place as indexes, for the paths inside it.
    std::vector<SendPlace> sends_;
    std::vector<EventWait> event_waits_;
    std::vector<SentName> sent_names_;
    std::vector<Inlined> inlined_;
    bool is_audiences_ = false; ///< What is read is a file of audiences.
    bool is_action_ = false;    ///< What is read are the steps of an action.
    std::set<std::string> names_, properties_read_;
    std::shared_ptr<const std::string> vars_; ///< Packed; null where the file has none.
    /// Those of which one is applied where the expression that is read now is looked at; null: any.
    const std::vector<std::string>* applied_ = nullptr;
    bool at_hand_over_ = false; ///< What is read now is looked at when a message is handed over.
    bool gives_coupon_ = false; ///< What is read now is the data of a send with a coupon.
    bool reads_code_ = false;   ///< … and some of it has read its code.
};

/// Of a condition that reads nothing, what it always is.
std::optional<bool> constant_value(const journeys::cel::Program& condition);

/// The content of a node in one form, whatever its comments, quotes and layout.
void append_canonical(std::string& out, const YamlNode& node, bool keep_order, bool is_root);

/// The steps of a file; more is a mistake.
inline constexpr std::size_t steps_max = 1'000;

} // namespace schema
