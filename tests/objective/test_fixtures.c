/* The library against the fixtures of tests/data, and the check against fixtures that are wrong. */
#define _GNU_SOURCE
#include "support/fixture.h"
#include "support/harness.h"
#include "support/tamper.h"

static const char *const files[] = {"toy25",          "toy_kl_only",  "toy_T8_geometric",
                                    "schedules",      "optimizer",    "ncsnpp_fir",
                                    "ncsnpp_plain",   "layers",       "toy_logistic",
                                    "toy_forward_kl", "toy_no_latent"};

enum { FILES = sizeof files / sizeof *files };

/* Valid until the next call but one. */
static const char *in_data(const char *name) {
    static char paths[2][512];
    static unsigned turn;
    char *path = paths[turn++ % 2];
    int length = snprintf(path, sizeof paths[0], "%s/%s.safetensors", TEST_DATA, name);
    ck_assert_msg(length > 0 && (size_t)length < sizeof paths[0], "a path of %d bytes has no room",
                  length);
    return path;
}

START_TEST(the_library_computes_what_the_fixtures_say) {
    for (int i = 0; i < FILES; i++)
        ck_assert_msg(test_fixture_check(in_data(files[i]), stdout), "%s does not hold", files[i]);
}
END_TEST

START_TEST(so_it_does_on_one_thread_and_on_three) {
    for (int i = 0; i < FILES; i++)
        for (int threads = 1; threads <= 3; threads += 2)
            ck_assert_msg(test_fixture_check_on(in_data(files[i]), threads, stdout),
                          "%s does not hold on %d threads", files[i], threads);
}
END_TEST

static bool holds_after(const char *name, test_tamper change) {
    test_tamper_file(in_data(name), in_folder("changed"), &change);
    return test_fixture_check(in_folder("changed"), NULL);
}

/* Norms are dropped, lest the check of the reader alone find the change. */
START_TEST(a_changed_tensor_is_noticed) {
    static const char *const tensors[][2] = {
        {"toy25", "out.x_next"},
        {"toy25", "out.x_pos"},
        {"toy25", "out.f_real"},
        {"toy25", "out.f_pos"},
        {"toy25", "out.grad_real"},
        {"toy25", "out.penalty"},
        {"toy25", "out.log_q_pos"},
        {"toy25", "out.loss_energy"},
        {"toy25", "out.loss_recon"},
        {"toy25", "out.loss_generator"},
        {"toy25", "out.enc_logvar"},
        {"toy25", "out.latent_mean"},
        {"toy25", "out.sample_x0"},
        {"toy25", "out.sample_steps"},
        {"toy25", "in.x0"},
        {"toy25", "in.z"},
        {"toy25", "in.noise_posterior"},
        {"toy25", "in.noise_encoder"},
        {"toy25", "in.sample_z"},
        {"toy25", "schedule.betas"},
        {"toy25", "schedule.post_logvar"},
        {"toy25", "energy.net.layers.1.weight"},
        {"toy25", "generator.net.layers_bn.0.running_var"},
        {"toy25", "encoder.fc_mu.weight"},
        {"toy25", "grad.energy.x_encoder.layers.0.weight"},
        {"toy25", "grad.generator.net.layers_bn.1.weight"},
        {"toy25", "grad.encoder.fc_var.bias"},
        {"toy25", "after.energy.net.layers.0.weight"},
        {"toy25", "after.generator.net.layers_bn.0.running_mean"},
        {"toy25", "after.encoder.t_encoder.layers.0.weight"},
        {"ncsnpp_fir", "out.f_real"},
        {"ncsnpp_fir", "out.grad_real"},
        {"ncsnpp_fir", "out.x0_enc"},
        {"ncsnpp_fir", "in.noise_t"},
        {"ncsnpp_fir", "out.sample_x0"},
        {"ncsnpp_fir", "generator.all_modules.5.Conv2d_0.weight"},
        {"ncsnpp_fir", "grad.generator.all_modules.3.GroupNorm_0.style.weight"},
        {"ncsnpp_fir", "grad.encoder.conv3.weight"},
        {"ncsnpp_plain", "energy.all_modules.1.weight"},
        {"ncsnpp_plain", "grad.energy.all_modules.2.weight"},
        {"ncsnpp_plain", "encoder.conv52.weight"},
        {"layers", "fir_up.in.x"},
        {"layers", "attention.out"},
        {"layers", "adagn.param.style.weight"},
        {"layers", "resblock_up_fir.cotangent"},
        {"layers", "encoder_large_128.grad.param.conv6.skip.0.conv.weight"},
        {"schedules", "vp.toy.T4.float64.post_var"},
        {"schedules", "lsun.image.T8.float32.betas"},
        {"schedules", "geometric.toy.T2.float32.a_cum"},
        {"optimizer", "in.a.grads"},
        {"optimizer", "out.beta1_0.a.param"},
        {"optimizer", "out.beta1_0.5.b.v"},
        {"optimizer", "out.beta1_0.5.a.ema"},
        {"optimizer", "out.cosine_lr"},
        {"toy_logistic", "out.f_real"},
        {"toy_logistic", "out.penalty"},
        {"toy_logistic", "out.loss_adversarial"},
        {"toy_logistic", "grad.energy.x_encoder.layers.0.weight"},
        {"toy_logistic", "grad.generator.net.layers.0.weight"},
        {"toy_forward_kl", "grad.encoder.fc_var.bias"},
        {"toy_forward_kl", "out.loss_recon"},
        {"toy_no_latent", "out.x0_pred"},
        {"toy_no_latent", "out.loss_generator"},
    };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        const test_tamper change = {
            .scale = tensors[i][1], .factor = 1 + 1e-3, .metadata = "norms"};
        ck_assert_msg(!holds_after(tensors[i][0], change), "no check noticed a change of %s",
                      tensors[i][1]);
    }
    ck_assert(holds_after("toy25", (test_tamper){.metadata = "norms"})); /* it was not the copy */
}
END_TEST

/* Every tensor that is not rounding noise or zero; a fraction of the files in each run. */
enum { SHARES = 6 };

START_TEST(no_tensor_may_change_unseen) {
    test_fixture fixture;
    size_t tried = 0;
    test_fixture_open(&fixture, in_data("toy_kl_only"));
    ck_assert_str_eq(fixture.problem, "");
    for (size_t i = (size_t)_i; i < dd_safetensors_count(fixture.file); i += SHARES * 4) {
        const dd_tensor_entry *entry = dd_safetensors_entry(fixture.file, i);
        double largest = 0;
        for (size_t k = 0; k < entry->elements; k++)
            largest =
                test_fixture_element(entry, k) > largest ? test_fixture_element(entry, k) : largest;
        bool noise = strncmp(entry->name, "grad.", 5) == 0 &&
                     test_fixture_vanishes(&fixture, entry->name + 5);
        if (noise || largest == 0)
            continue;
        double factor = entry->dtype == DD_STORED_I64 ? 2 : 1 + 1e-3;
        tried++;
        ck_assert_msg(!holds_after("toy_kl_only", (test_tamper){.scale = entry->name,
                                                                .factor = factor,
                                                                .metadata = "norms"}),
                      "no check noticed a change of %s", entry->name);
    }
    ck_assert_uint_gt(tried, 5);
    test_fixture_close(&fixture);
}
END_TEST

START_TEST(what_is_added_or_missing_is_noticed) {
    static const char *const some[FILES] = {"out.f_real",
                                            "in.noise_t",
                                            "after.generator.net.layers.1.weight",
                                            NULL,
                                            "out.cosine_lr",
                                            "in.x0",
                                            "out.grad_real",
                                            "attention.grad.in.x",
                                            "out.f_pos",
                                            "out.z_enc",
                                            "out.f_pos"};
    for (int i = 0; i < FILES; i++) {
        ck_assert_msg(!holds_after(files[i], (test_tamper){.add = "out.stranger"}),
                      "%s: a tensor was added", files[i]);
        if (some[i]) /* a table of `schedules` is on its own: one fewer is one schedule fewer */
            ck_assert_msg(!holds_after(files[i], (test_tamper){.drop = some[i]}),
                          "%s: %s was dropped", files[i], some[i]);
        if (some[i])
            ck_assert_msg(!holds_after(files[i], (test_tamper){.shorten = some[i]}),
                          "%s: %s was cut", files[i], some[i]);
    }
    ck_assert(!holds_after("toy25", (test_tamper){.drop = "grad.encoder.fc_mu.bias"}));
    ck_assert(!holds_after("toy25", (test_tamper){.drop = "energy.net.layers.0.bias"}));
}
END_TEST

START_TEST(the_reader_is_checked_by_the_norms) {
    ck_assert(!holds_after("toy25", (test_tamper){.scale = "in.sample_xT", .factor = 1 + 1e-3}));
    ck_assert(!holds_after("optimizer", (test_tamper){.scale = "in.b.param", .factor = 1 + 1e-3}));
}
END_TEST

START_TEST(another_file_is_no_fixture) {
    ck_assert(!test_fixture_check(in_folder("nothing"), NULL));
    put_file(in_folder("text"), "{}", 2);
    ck_assert(!test_fixture_check(in_folder("text"), NULL));
    ck_assert(
        !holds_after("toy25", (test_tamper){.metadata = "format", .text = "ddaebm-fixture-2"}));
    ck_assert(!holds_after("toy25", (test_tamper){.metadata = "config"}));
    ck_assert(!holds_after("toy25",
                           (test_tamper){.metadata = "config", .text = "{\"family\":\"boat\"}"}));
}
END_TEST

/* A loop test needs more than run_tests does. */
int main(void) {
    Suite *suite = suite_create("fixtures");
    TCase *tests = tcase_create("fixtures");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, the_library_computes_what_the_fixtures_say);
    tcase_add_test(tests, so_it_does_on_one_thread_and_on_three);
    tcase_add_test(tests, a_changed_tensor_is_noticed);
    tcase_add_loop_test(tests, no_tensor_may_change_unseen, 0, SHARES);
    tcase_add_test(tests, what_is_added_or_missing_is_noticed);
    tcase_add_test(tests, the_reader_is_checked_by_the_norms);
    tcase_add_test(tests, another_file_is_no_fixture);
    suite_add_tcase(suite, tests);
    int failed = run_suite(suite);
    return failed != 0;
}
