/* Scores some points with a model, and computes the gradient of the score: 02_score [MODEL],
 * made by 01_train_and_sample. */
#include <ddaebm/ddaebm.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    enum { POINTS = 3 };
    const char *path = argc > 1 ? argv[1] : "points.safetensors";
    const float points[POINTS][2] = {
        {0.0f, 0.0f}, {0.35f, 0.35f}, {4.0f, 4.0f}}; /* a mode, between modes, far from all */
    float scores[POINTS], gradients[POINTS][2];
    ddaebm_model *model = NULL;
    ddaebm_scorer *scorer = NULL;

    ddaebm_status status = ddaebm_model_load(&model, NULL, path);
    if (status == DDAEBM_OK)
        status = ddaebm_scorer_create(&scorer, model);
    if (status == DDAEBM_OK)
        status = ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, &points[0][0], POINTS, 0,
                                     scores); /* timestep 0: the data itself */
    if (status == DDAEBM_OK)
        status = ddaebm_scorer_gradient(scorer, &points[0][0], POINTS, 0, &gradients[0][0]);
    for (int i = 0; status == DDAEBM_OK && i < POINTS; i++)
        printf("(%5.2f, %5.2f): log-density %8.3f up to a constant, gradient (%8.3f, %8.3f)\n",
               (double)points[i][0], (double)points[i][1], (double)scores[i],
               (double)gradients[i][0], (double)gradients[i][1]);
    if (status != DDAEBM_OK)
        fprintf(stderr, "%s\n", ddaebm_error_message());

    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
    return status == DDAEBM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
