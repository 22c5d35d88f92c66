/* A program of someone else's: it sees what is installed and nothing more. Written in what C99 and
 * later have in common. */
#include <ddaebm/ddaebm.h>

#include <stdio.h>
#include <string.h>

int main(void) {
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL;
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    float row[2] = {0, 0}, score = 0;
    int good = strcmp(ddaebm_status_text(DDAEBM_OK), "success") == 0 &&
               ddaebm_config_create(&config, NULL, "points") == DDAEBM_OK &&
               ddaebm_model_create(&model, NULL, config, 1) == DDAEBM_OK &&
               ddaebm_sampler_create(&sampler, model) == DDAEBM_OK &&
               ddaebm_scorer_create(&scorer, model) == DDAEBM_OK &&
               ddaebm_sampler_draw(sampler, 1, 0, 1, row) == DDAEBM_OK &&
               ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, row, 1, 0, &score) == DDAEBM_OK;
    if (!good)
        fprintf(stderr, "%s\n", ddaebm_error_message());
    ddaebm_scorer_free(scorer);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    ddaebm_config_free(config);
    return good ? 0 : 1;
}
